#pragma once

#include <cstdint>
#include <vector>

#include "common/graph/bind.h"

namespace soter::compute {

// Unit is what one kernel computes: a node, and the nodes after it that it absorbs.
struct Unit {
  uint32_t node = 0;                // index of the head in graph().nodes
  uint32_t position = 0;            // index of the last node absorbed: where the unit runs
  ValueId residual = kNoValue;      // added before the activation
  Activation activation = Activation::kNone;
  ValueId output = kNoValue;        // of the last node absorbed; kNoValue when the head has several outputs
};

// PlanFusion partitions the nodes into units, in the order in which they run. A value is absorbed only when one
// node reads it and it is no graph output: Conv and Linear take a following Add and a Relu, ConvTranspose,
// ChannelAffine and arithmetic Binary a Relu.
std::vector<Unit> PlanFusion(const StaticGraph& graph);

}  // namespace soter::compute
