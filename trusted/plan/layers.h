#pragma once

#include <vector>

#include "common/graph/bind.h"

namespace soter {

// Layer is what AegisDNN protects or leaves as a whole: an operator and those behind it that need nothing else.
struct Layer {
  std::vector<uint32_t> nodes;   // indexes into the graph's nodes, in order
  std::vector<ValueId> inputs;   // values from outside; no initializers
  std::vector<ValueId> outputs;  // values that other layers or the caller need
};

// DivideIntoLayers starts a layer at every linear operator and wherever values of several layers meet; any other
// operator belongs to the layer that computes its operands. Only a layer's first operator takes values from other
// layers, so layers stand in an order in which they can be run. Cost: linear in the graph.
std::vector<Layer> DivideIntoLayers(const StaticGraph& graph);

}  // namespace soter
