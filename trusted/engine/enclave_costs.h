#pragma once

#include "common/compute/program.h"
#include "trusted/engine/weight_store.h"
#include "trusted/plan/cost_model.h"

namespace soter {

// SpareBytes is how much memory the enclave gives to algorithms that want larger weights than the model's own: two ninths
// of what it needs anyhow, for parameters and for the operator with the largest images
// (docs/decisions/0029-memory-where-it-saves-most.md).
size_t SpareBytes(const StaticGraph& graph);

// NetworkInEnclave is the whole network as one program here, and the values that it takes and makes, in order.
struct NetworkInEnclave {
  Program program;
  std::vector<ValueId> inputs, outputs;
};

// CompileInEnclave compiles the network with as many larger weights as fit into `spare_bytes`, of which it takes what it
// uses. Errors: those of Program::Compile and WeightStore::Get.
Result<NetworkInEnclave> CompileInEnclave(const StaticGraph& graph, const WeightStore& weights, int threads,
                                          size_t& spare_bytes);

// ExtraBytes is by how much each node's weight would be packed larger than it is, if there were room for all.
// Errors: those of Program::Compile and WeightStore::Get.
Result<std::vector<uint64_t>> ExtraBytes(const StaticGraph& graph, const WeightStore& weights, int threads);

}  // namespace soter
