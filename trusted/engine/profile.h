#pragma once

#include <functional>
#include <span>
#include <vector>

#include "common/graph/bind.h"
#include "trusted/engine/weight_store.h"
#include "trusted/mask/random_source.h"

namespace soter {

// NodeProfile is what profiling learned of one node: its time in the enclave and its real operands and results.
struct NodeProfile {
  uint32_t node;
  double milliseconds;  // the fastest of the samples
  // One entry per sample: the node's first operand, and its first output, dense. Valid during the visit only.
  std::span<const Tensor* const> inputs, outputs;
};

// ProfileGraph runs `graph` in the enclave node by node on `samples` random inputs and visits every node, in order.
// Only one node's weights are packed at a time. Errors: as Program::Compile and Run; those of `visit`.
Status ProfileGraph(const StaticGraph& graph, const WeightStore& weights, int threads, size_t samples,
                    RandomSource& random, const std::function<Status(const NodeProfile&)>& visit);

// RandomInput fills a tensor for profiling: standard normal floats; zeros for every other type, valid as any index.
Result<Tensor> RandomInput(const TensorType& type, RandomSource& random);

}  // namespace soter
