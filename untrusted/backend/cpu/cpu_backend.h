#pragma once

#include <unordered_map>

#include "common/compute/program.h"
#include "untrusted/backend/backend.h"

namespace soter {

// CpuBackend computes with the kernels of common/compute, the same that the enclave uses.
class CpuBackend : public Backend {
 public:
  explicit CpuBackend(uint32_t threads) : threads_(threads) {}

  BackendInfo info() const override;
  Status LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) override;
  Status LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                     std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) override;
  Status Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override;
  void DropSegments() override { programs_.clear(); }
  void DropWeights() override { weights_.clear(); }

 private:
  uint32_t threads_;
  std::unordered_map<WeightId, std::shared_ptr<const Tensor>> weights_;
  std::unordered_map<uint32_t, Program> programs_;
};

}  // namespace soter
