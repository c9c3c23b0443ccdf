#pragma once

#include "untrusted/backend/backend.h"
#include "untrusted/backend/cuda/segment.h"

namespace soter::cuda {

// CudaBackend computes on one NVIDIA GPU with cuDNN, cuBLASLt and kernels of our own (docs/gpu.md).
class CudaBackend : public Backend {
 public:
  // Open takes the GPU with that index. Errors: kInvalidArgument (there is none with it), kUnavailable.
  static Result<std::unique_ptr<Backend>> Open(uint32_t device);
  ~CudaBackend() override;

  BackendInfo info() const override;
  Status OnRegion(std::span<std::byte> region) override;
  Status LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) override;
  Status LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                     std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) override;
  Status Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override;
  void DropSegments() override;
  void DropWeights() override;

 private:
  explicit CudaBackend(std::unique_ptr<Device> device) : device_(std::move(device)), weights_(*device_) {}

  // In this order: segments go first, then what they refer to, then the device.
  std::unique_ptr<Device> device_;
  PinnedRegion region_;
  Weights weights_;
  std::unordered_map<uint32_t, std::unique_ptr<Segment>> segments_;
};

}  // namespace soter::cuda
