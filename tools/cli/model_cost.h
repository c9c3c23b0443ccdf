#pragma once

#include <cstdint>

#include "common/graph/bind.h"

namespace soter {

// ModelCost is what running a graph costs, whoever runs it.
struct ModelCost {
  int64_t mul_adds = 0, linear_mul_adds = 0;  // all; those of linear operators with constant weights
  uint32_t nodes = 0, linear_nodes = 0;
  uint64_t weight_bytes = 0;
  uint64_t peak_activation_bytes = 0;  // the most that lives at once, freeing each value after its last use
};

// CostOf adds it up. Errors: as SizeBytes.
Result<ModelCost> CostOf(const StaticGraph& graph);

}  // namespace soter
