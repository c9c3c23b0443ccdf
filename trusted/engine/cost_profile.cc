#include "trusted/engine/cost_profile.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "common/compute/program.h"
#include "common/graph/op_traits.h"
#include "trusted/check/freivalds.h"
#include "trusted/engine/link_probe.h"
#include "trusted/engine/profile.h"
#include "trusted/engine/stand_in.h"
#include "trusted/engine/subgraph.h"
#include "trusted/mask/transfer.h"
#include "trusted/plan/offloadable.h"

namespace soter {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr int kCheckRuns = 3;
constexpr WeightId kFirstStandIn = WeightId{1} << 32;  // no real parameter has such an id, in a record of what was received

double Milliseconds(Clock::duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

// Per index, the median over runs.
std::vector<double> Medians(const std::vector<std::vector<double>>& runs) {
  std::vector<double> medians;
  for (size_t i = 0; i < runs[0].size(); ++i) {
    std::vector<double> values;
    for (const std::vector<double>& run : runs) values.push_back(run[i]);
    medians.push_back(Median(std::move(values)));
  }
  return medians;
}

class CostMeter {
 public:
  CostMeter(const StaticGraph& graph, const CostContext& context)
      : graph_(graph), context_(context), layers_(DivideIntoLayers(graph)), order_(graph.graph().nodes.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    for (const GraphInput& input : graph.graph().inputs) inputs_.push_back(input.value);
  }

  Result<CostProfile> Measure() {
    TRY(DrawInputs());
    Tell("timing the enclave", 0);
    TRY(MeasureEnclave());
    if (context_.accelerator == nullptr) return std::move(costs_);
    Tell("timing the accelerator", 0.3);
    LinkCosts link = TRY(MeasureLink(*context_.accelerator, Timeout()));
    costs_.switch_ms = link.switch_ms, costs_.pass_ms_per_mb = link.pass_ms_per_mb;
    costs_.send_ms_per_mb = link.send_ms_per_mb, costs_.receive_ms_per_mb = link.receive_ms_per_mb;
    TRY(MeasureAccelerator());
    TRY(context_.accelerator->Forget());
    Tell("timing the checks", 0.8);
    if (context_.settings.check == Check::kFreivalds) TRY(MeasureChecks());
    return std::move(costs_);
  }

 private:
  void Tell(const char* what, double fraction) const {
    if (context_.progress) context_.progress(what, fraction);
  }
  std::chrono::milliseconds Timeout() const { return std::chrono::milliseconds(context_.settings.timeout_ms); }
  const Node& node(uint32_t index) const { return graph_.graph().nodes[index]; }

  Status DrawInputs() {
    for (ValueId value : inputs_) input_tensors_.push_back(TRY(RandomInput(graph_.type(value), context_.random)));
    return {};
  }

  // Compiles and times the network here, and keeps it for MeasureOverlap.
  Status MeasureEnclave() {
    std::vector<ValueId> outputs;
    for (ValueId value : graph_.graph().outputs)
      if (graph_.initializer(value) == nullptr && std::find(inputs_.begin(), inputs_.end(), value) == inputs_.end())
        outputs.push_back(value);
    StaticGraph whole = TRY(Subgraph(graph_, order_, inputs_, outputs));
    program_.emplace(TRY(Program::Compile(
        whole, [&](const Initializer& initializer) { return context_.weights.Get(initializer); },
        {.threads = static_cast<int>(context_.settings.threads)})));
    for (const Tensor& tensor : input_tensors_) in_.push_back(tensor.bytes().data());
    for (ValueId value : outputs) {
      output_tensors_.push_back(TRY(Tensor::Allocate(graph_.type(value))));
      out_.push_back(output_tensors_.back().mutable_bytes().data());
    }
    TRY(program_->Run(in_, out_));
    std::vector<std::vector<double>> runs;
    for (int i = 0; i < kRuns; ++i) runs.push_back(TRY(program_->NodeTimes(in_, out_)));
    costs_.enclave_ms = Medians(runs);
    return {};
  }

  // The whole network as one segment that gives back what every layer hands on.
  Result<Segment> MakeSegment() {
    std::vector<uint32_t> producer(graph_.graph().value_names.size(), 0);
    for (uint32_t i : order_)
      for (ValueId value : node(i).outputs)
        if (value != kNoValue) producer[value] = i;
    for (uint32_t l = 0; l < layers_.size(); ++l)
      for (ValueId value : layers_[l].outputs) returned_.push_back({value, l});
    std::sort(returned_.begin(), returned_.end(),
              [&](const auto& a, const auto& b) { return producer[a.first] < producer[b.first]; });
    std::vector<ValueId> outputs;
    for (const auto& [value, layer] : returned_) outputs.push_back(value);
    Segment segment{.id = 0};
    segment.graph = TRY(AcceleratorGraph(graph_, order_, inputs_, outputs, [](ValueId) { return 1.0f; },
                                         [&](const ParameterUse& use) { return Upload(use); }));
    for (ValueId value : inputs_) segment.input_types.push_back(graph_.type(value));
    segment.input_layouts.assign(inputs_.size(), Layout::kDense);
    for (ValueId value : outputs) {
      segment.output_types.push_back(graph_.type(value));
      segment.output_layouts.push_back(LayoutOf(graph_.type(value)));
    }
    return segment;
  }

  Layout LayoutOf(const TensorType& type) const {
    bool blocked = type.dtype == DType::kFloat32 && type.shape.size() == 4 && type.shape[1] % 16 == 0;
    return blocked ? context_.activation_layout : Layout::kDense;
  }

  Result<WeightId> Upload(const ParameterUse& use) {
    Tensor stand_in = TRY(MakeStandIn(use.initializer.type, context_.random));
    Status loaded = context_.accelerator->LoadWeight(++uploaded_, stand_in.view());
    if (!loaded.ok()) return CannotTime(loaded.error());
    return uploaded_;
  }

  // The network is timed as a whole: what the accelerator does not take cannot be taken back before there are times.
  static Error CannotTime(const Error& why) {
    Error error = Annotate(why, "timing the network on the accelerator");
    return error.code == ErrorCode::kExhausted ? Unavailable(error.message) : error;
  }

  Status MeasureAccelerator() {
    Segment segment = TRY(MakeSegment());
    for (const Refusal& refusal : TRY(context_.accelerator->LoadSegments(std::span(&segment, 1)))) return CannotTime(refusal.why);
    TRY(RunSegment([]() -> Status { return {}; }));
    std::vector<std::vector<double>> runs;
    for (int i = 0; i < kRuns; ++i) runs.push_back(TRY(RunSegment([]() -> Status { return {}; })));
    SpreadOverNodes(Medians(runs));
    return MeasureOverlap();
  }

  // Runs the segment while the enclave does `beside`; returns when each result was there, in ms from the start.
  Result<std::vector<double>> RunSegment(const std::function<Status()>& beside) {
    for (size_t i = 0; i < input_tensors_.size(); ++i) {
      std::span<std::byte> target = context_.accelerator->InputBuffer(0, i);
      if (!target.empty()) std::memcpy(target.data(), input_tensors_[i].bytes().data(), target.size());
    }
    Clock::time_point start = Clock::now();
    TRY(context_.accelerator->Start(0, start + Timeout()));
    TRY(beside());
    std::vector<double> ready;
    for (size_t i = 0; i < returned_.size(); ++i) {
      TRY(context_.accelerator->Await(0, i, start + Timeout()));
      ready.push_back(Milliseconds(Clock::now() - start));
    }
    TRY(context_.accelerator->Finish(0, start + Timeout()));
    return ready;
  }

  // A layer's time is shared out as the enclave's own is.
  void SpreadOverNodes(const std::vector<double>& ready) {
    costs_.accelerator_ms.assign(order_.size(), 0);
    bool in_frames = !context_.accelerator->info().shares_memory;
    double before = costs_.switch_ms;
    for (size_t i = 0; i < ready.size(); ++i) {
      const Layer& layer = layers_[returned_[i].second];
      double ms = ready[i] - before - (in_frames ? ReceivedMs(graph_, returned_[i].first, costs_) : 0);
      before = std::max(before, ready[i]);
      double all = 0;
      for (uint32_t index : layer.nodes) all += costs_.enclave_ms[index];
      for (uint32_t index : layer.nodes) {
        double share = all > 0 ? costs_.enclave_ms[index] / all : index == layer.nodes[0];
        costs_.accelerator_ms[index] += std::max(0.0, ms) * share;
      }
    }
  }

  // What both sides take together, against what they take alone.
  Status MeasureOverlap() {
    if (returned_.empty()) return {};
    std::vector<double> there, here, together;
    for (int i = 0; i < kRuns; ++i) {
      there.push_back(TRY(RunSegment([]() -> Status { return {}; })).back());
      Clock::time_point start = Clock::now();
      TRY(program_->Run(in_, out_));
      here.push_back(Milliseconds(Clock::now() - start));
      together.push_back(TRY(RunSegment([&] { return program_->Run(in_, out_); })).back());
    }
    double shorter = std::min(Median(there), Median(here));
    double saved = Median(there) + Median(here) - Median(together);
    costs_.overlap = shorter > 0 ? std::clamp(saved / shorter, 0.0, 1.0) : 0;
    program_.reset();
    return {};
  }

  // Operators with the same attributes and shapes are checked in the same time.
  Status MeasureChecks() {
    costs_.check_ms.assign(order_.size(), 0);
    std::vector<uint32_t> measured;
    for (uint32_t i : order_) {
      if (!CanOffload(graph_, node(i)) || !IsCheapToCheck(graph_, node(i))) continue;
      auto same = std::find_if(measured.begin(), measured.end(), [&](uint32_t other) { return IsSame(i, other); });
      costs_.check_ms[i] = same != measured.end() ? costs_.check_ms[*same] : TRY(CheckMs(node(i)));
      if (same == measured.end()) measured.push_back(i);
    }
    return {};
  }

  bool IsSame(uint32_t a, uint32_t b) const {
    auto type = [&](uint32_t index, size_t k) { return graph_.type(node(index).inputs[k]); };
    return node(a).op == node(b).op && node(a).inputs.size() == node(b).inputs.size() &&
           type(a, 0).shape == type(b, 0).shape && type(a, 1).shape == type(b, 1).shape;
  }

  Result<double> CheckMs(const Node& linear) {
    std::shared_ptr<const Tensor> weight = TRY(context_.weights.Get(*graph_.initializer(linear.inputs[1])));
    std::shared_ptr<const Tensor> bias;
    if (linear.inputs.size() > 2 && linear.inputs[2] != kNoValue)
      bias = TRY(context_.weights.Get(*graph_.initializer(linear.inputs[2])));
    TensorType x = graph_.type(linear.inputs[0]), y = graph_.type(linear.outputs[0]);
    Buffer x_memory = TRY(TryBuffer(TRY(LaidOutBytes(x, LayoutOf(x)))));
    Buffer y_memory = TRY(TryBuffer(TRY(LaidOutBytes(y, LayoutOf(y)))));
    std::span<float> floats(reinterpret_cast<float*>(x_memory.bytes().data()), x_memory.size() / sizeof(float));
    for (size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(i % 7) - 3;
    std::memset(y_memory.bytes().data(), 0, y_memory.size());
    Freivalds check = Freivalds::Create({linear, x, y, LayoutOf(x), LayoutOf(y), *weight, bias.get()},
                                        FamilyOf(linear, context_.settings.precision, context_.settings.worker_kind),
                                        static_cast<int>(context_.settings.threads), context_.random);
    FreivaldsScratch scratch;
    TRY(scratch.Reserve(check.scratch_bytes()));
    std::vector<double> times;
    for (int i = 0; i < kCheckRuns; ++i) {
      Claim claim(PrivateTensor{y, LayoutOf(y), y_memory.bytes()});
      Clock::time_point start = Clock::now();
      (void)check.Check(floats, std::move(claim), scratch).ok();  // it is wrong, and takes as long as a right one
      times.push_back(Milliseconds(Clock::now() - start));
    }
    return Median(std::move(times));
  }

  const StaticGraph& graph_;
  const CostContext& context_;
  std::vector<Layer> layers_;
  std::vector<uint32_t> order_;  // all nodes
  std::vector<ValueId> inputs_;
  std::vector<std::pair<ValueId, uint32_t>> returned_;  // and the layer that it comes from, in order of readiness
  std::vector<Tensor> input_tensors_, output_tensors_;
  std::vector<const std::byte*> in_;
  std::vector<std::byte*> out_;
  std::optional<Program> program_;
  WeightId uploaded_ = kFirstStandIn;
  CostProfile costs_;
};

}  // namespace

Result<CostProfile> MeasureCosts(const StaticGraph& graph, const CostContext& context) {
  return CostMeter(graph, context).Measure();
}

}  // namespace soter
