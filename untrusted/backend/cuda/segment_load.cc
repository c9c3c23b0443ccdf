#include <algorithm>

#include "untrusted/backend/cuda/segment.h"

// Putting a plan on a device: memory, weights, algorithms.
namespace soter::cuda {

namespace {

// What an algorithm may use beside its operands. More buys little: the fastest true float32 algorithms need less.
constexpr size_t kMostWorkspace = size_t{256} << 20;

Work WorkOf(const SegmentPlan& plan) {
  Work work{.buffer_bytes = plan.buffer_bytes, .uploads = plan.uploads, .downloads = plan.downloads};
  for (const StepPlan& step : plan.steps) work.steps.push_back({step.inputs, step.outputs});
  return work;
}

std::vector<HostBuffer> HostBuffersOf(const std::vector<size_t>& sizes) {
  std::vector<HostBuffer> buffers(sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) buffers[i].size_bytes = sizes[i];
  return buffers;
}

std::string NameOf(const Node& node) { return "node '" + node.name + "' (" + OpName(node.op) + ")"; }

}  // namespace

Result<std::unique_ptr<Segment>> Segment::Load(Device& device, Weights& weights, const StaticGraph& graph,
                                               SegmentPlan plan) {
  std::unique_ptr<Segment> segment(new Segment(device));
  segment->schedule_ = PlanSchedule(WorkOf(plan));
  segment->progress_ = TRY(Progress::Make(plan.downloads.size()));
  segment->inputs_ = HostBuffersOf(plan.upload_bytes);
  segment->outputs_ = HostBuffersOf(plan.download_bytes);
  TRY(segment->Place(weights, plan));
  TRY(segment->PrepareSteps(graph));
  TRY(segment->MakeEvents());
  return segment;
}

Status Segment::Place(Weights& weights, SegmentPlan& plan) {
  size_t arena_bytes = schedule_.arena.size_bytes;
  arena_ = TRY(device_.arena().Reserve(arena_bytes));
  // Measurements run on zeros, not on whatever lay there: denormal numbers or NaN can change a kernel's time.
  TRY(CudaStatus(cudaMemsetAsync(arena_->get(), 0, arena_bytes, device_.compute()), "clear memory"));
  std::vector<void*> place(plan.buffer_bytes.size());
  for (size_t b = 0; b < place.size(); ++b) {
    place[b] = static_cast<std::byte*>(arena_->get()) + schedule_.arena.offsets[b];
  }
  for (const ConstantPlan& constant : plan.constants) {
    constants_.push_back(TRY(weights.Find(constant)));
    place[constant.buffer] = constants_.back()->get();
  }
  for (BufferId b : plan.uploads) landing_.push_back(place[b]);
  for (BufferId b : plan.downloads) leaving_.push_back(place[b]);
  for (StepPlan& planned : plan.steps) {
    PlacedStep step{.step = std::move(planned.step), .node = planned.node};
    for (BufferId b : planned.inputs) step.inputs.push_back(place[b]);
    for (BufferId b : planned.outputs) step.outputs.push_back(place[b]);
    steps_.push_back(std::move(step));
  }
  return {};
}

// Steps run one after another, so the largest workspace serves all.
Status Segment::PrepareSteps(const StaticGraph& graph) {
  size_t free_bytes = 0, total_bytes = 0;
  TRY(CudaStatus(cudaMemGetInfo(&free_bytes, &total_bytes), "tell its free memory"));
  size_t most = std::min(kMostWorkspace, free_bytes / 4);
  DeviceMemory lent = TRY(AllocateDevice(most));
  for (PlacedStep& step : steps_) {
    Result<size_t> bytes = step.step->Prepare(device_, ArgumentsOf(step, lent.get(), most));
    if (!bytes.ok()) return Annotate(bytes.error(), NameOf(graph.graph().nodes[step.node]));
    workspace_bytes_ = std::max(workspace_bytes_, *bytes);
  }
  TRY(AwaitIdle(device_.compute()));
  lent.reset();
  workspace_ = TRY(device_.workspace().Reserve(workspace_bytes_));
  return {};
}

Status Segment::MakeEvents() {
  begun_ = TRY(MakeEvent());
  uploads_joined_ = TRY(MakeEvent());
  downloads_joined_ = TRY(MakeEvent());
  for (size_t i = 0; i < inputs_.size(); ++i) arrived_.push_back(TRY(MakeEvent()));
  for (const std::vector<uint32_t>& completes : schedule_.completes) {
    done_.push_back(completes.empty() ? Event() : TRY(MakeEvent()));
  }
  return {};
}

Arguments Segment::ArgumentsOf(const PlacedStep& step) const {
  return ArgumentsOf(step, workspace_->get(), workspace_bytes_);
}

Arguments Segment::ArgumentsOf(const PlacedStep& step, void* workspace, size_t workspace_bytes) const {
  return {.stream = device_.compute(),
          .inputs = step.inputs,
          .outputs = step.outputs,
          .workspace = workspace,
          .workspace_bytes = workspace_bytes,
          .fault = progress_->device_fault()};
}

}  // namespace soter::cuda
