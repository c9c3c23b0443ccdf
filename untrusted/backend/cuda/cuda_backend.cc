#include "untrusted/backend/cuda/cuda_backend.h"

#include <algorithm>

namespace soter::cuda {

Result<std::unique_ptr<Backend>> CudaBackend::Open(uint32_t device) {
  return std::unique_ptr<Backend>(new CudaBackend(TRY(Device::Open(device))));
}

// The thread that ends a backend need not be the one that used it.
CudaBackend::~CudaBackend() { static_cast<void>(device_->Activate()); }

BackendInfo CudaBackend::info() const {
  return {.name = "cuda", .device = device_->name(), .arithmetics = device_->Arithmetics()};
}

Status CudaBackend::OnRegion(std::span<std::byte> region) {
  TRY(device_->Activate());
  region_.Pin(region);
  return {};
}

Status CudaBackend::LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) {
  TRY(device_->Activate());
  return weights_.Upload(id, *weight);
}

Status CudaBackend::LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                                std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) {
  TRY(device_->Activate());
  if (IsLost()) return Unavailable("the GPU was lost");
  if (std::ranges::count(device_->Arithmetics(), arithmetic) == 0) {
    return Unsupported("this GPU does not compute in that arithmetic");
  }
  SegmentPlan plan = TRY(PlanSegment(graph, arithmetic, inputs, outputs));
  segments_[segment] = TRY(Segment::Load(*device_, weights_, graph, std::move(plan)));
  return {};
}

Status CudaBackend::Run(uint32_t segment, std::span<const std::byte* const> inputs,
                        std::span<std::byte* const> outputs, const std::function<void(size_t)>& on_output) {
  TRY(device_->Activate());
  auto found = segments_.find(segment);
  CHECK(found != segments_.end(), "the worker checks segment ids");
  return found->second->Run(region_, inputs, outputs, on_output);
}

void CudaBackend::DropSegments() {
  static_cast<void>(device_->Activate());
  segments_.clear();
  device_->arena().Forget();
  device_->workspace().Forget();
}

void CudaBackend::DropWeights() {
  static_cast<void>(device_->Activate());
  weights_.Clear();
}

}  // namespace soter::cuda
