#pragma once

#include <optional>

#include "untrusted/backend/cpu/cpu_backend.h"

namespace soter::emulation {

// EmulatedGpu rounds as a GPU's arithmetics do, on the CPU: a simulation for tests of what depends on how exactly a
// worker computes. It says nothing of a GPU's speed, order of sums or faults.
//   float32  as the CPU backend
//   tf32     operands of linear operators rounded to 11 bits of mantissa, float32 products and sums
//   float16  operands, and results of convolutions, rounded to 11 bits of mantissa; float32 sums. The narrow range of
//            float16 is not simulated.
//   float64  every operator in double precision (tests/conformance/reference.h): slow
class EmulatedGpu : public Backend {
 public:
  // always: computes in that arithmetic, whatever it is asked for; a lie, for tests.
  explicit EmulatedGpu(uint32_t threads, std::optional<wire::Arithmetic> always = std::nullopt)
      : cpu_(threads), always_(always) {}

  BackendInfo info() const override;
  Status LoadWeight(WeightId id, std::shared_ptr<const Tensor> weight) override;
  Status LoadSegment(uint32_t segment, const StaticGraph& graph, wire::Arithmetic arithmetic,
                     std::span<const wire::Port> inputs, std::span<const wire::Port> outputs) override;
  Status Run(uint32_t segment, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override;
  void DropSegments() override;
  void DropWeights() override;

 private:
  struct Exact {
    StaticGraph graph;  // with all weights inside
    std::vector<wire::Port> inputs, outputs;
  };
  Status LoadExact(uint32_t segment, const StaticGraph& graph, std::span<const wire::Port> inputs,
                   std::span<const wire::Port> outputs);
  Status RunExact(const Exact& exact, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
                  const std::function<void(size_t)>& on_output) const;

  CpuBackend cpu_;
  std::optional<wire::Arithmetic> always_;
  std::unordered_map<WeightId, std::shared_ptr<const Tensor>> weights_;
  std::unordered_map<uint32_t, Exact> exact_;
};

// EmulatedGpuFactory makes one for each client.
BackendFactory EmulatedGpuFactory(std::optional<wire::Arithmetic> always = std::nullopt);

}  // namespace soter::emulation
