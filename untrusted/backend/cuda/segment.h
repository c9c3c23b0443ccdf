#pragma once

#include <functional>
#include <optional>

#include "untrusted/backend/cuda/host_buffers.h"
#include "untrusted/backend/cuda/progress.h"
#include "untrusted/backend/cuda/weights.h"

namespace soter::cuda {

// Segment is a plan on a device: its memory, its algorithms and, once it has run, its recording as a CUDA graph.
// docs/gpu.md tells how its streams and events work together.
class Segment {
 public:
  // Load allocates everything that runs need and measures algorithms. Errors: kUnsupported (naming the node),
  // kExhausted, kUnavailable.
  static Result<std::unique_ptr<Segment>> Load(Device& device, Weights& weights, const StaticGraph& graph,
                                               SegmentPlan plan);
  ~Segment();
  Segment(const Segment&) = delete;

  // Run computes all outputs; on_output(i) as soon as output i is in the caller's memory.
  // Errors: kInvalidArgument (an index out of range), kUnavailable, kExhausted (only when the buffers are new).
  Status Run(const PinnedRegion& region, std::span<const std::byte* const> inputs,
             std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output);

 private:
  using Recording = Owned<cudaGraphExec_t, cudaGraphExecDestroy>;
  struct PlacedStep {
    std::unique_ptr<Step> step;
    uint32_t node = 0;
    std::vector<void*> inputs, outputs;
  };

  explicit Segment(Device& device) : device_(device) {}
  Status Place(Weights& weights, SegmentPlan& plan);
  Status PrepareSteps(const StaticGraph& graph);
  Status MakeEvents();
  Arguments ArgumentsOf(const PlacedStep& step) const;
  Arguments ArgumentsOf(const PlacedStep& step, void* workspace, size_t workspace_bytes) const;

  Status BindHost(const PinnedRegion& region, std::span<const std::byte* const> inputs,
                  std::span<std::byte* const> outputs);
  Status Submit();
  Status Enqueue();
  Status EnqueueUploads();
  Status EnqueueStep(size_t s);
  Status EnqueueDownload(uint32_t output);
  Status Join(cudaStream_t stream, const Event& event);
  Status Record();
  void Drain();
  Status Deliver(const std::function<void(size_t)>& on_output);

  Device& device_;
  Schedule schedule_;
  SharedMemory arena_, workspace_;
  size_t workspace_bytes_ = 0;
  std::vector<SharedMemory> constants_;
  std::vector<PlacedStep> steps_;
  std::vector<void*> landing_, leaving_;  // device side of each input and output
  std::vector<HostBuffer> inputs_, outputs_;
  Event begun_, uploads_joined_, downloads_joined_;
  std::vector<Event> arrived_;  // by input
  std::vector<Event> done_;     // by step; null where nothing leaves
  std::optional<Progress> progress_;

  Recording recording_;
  uint64_t runs_ = 0;
  bool may_record_ = true;
};

}  // namespace soter::cuda
