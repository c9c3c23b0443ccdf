#pragma once

#include <string>
#include <vector>

#include "audit/linear/matrix.h"
#include "common/graph/bind.h"

namespace soter::audit {

// Layer is one weight-bearing linear operator of a network: what attacks recover and what is scored.
struct Layer {
  size_t node;               // its place among the graph's nodes
  std::string name;          // of the node
  Matrix weight;             // [m, k]: one row for each output channel, the rest of the weight's axes in order
  std::vector<double> bias;  // [m], or empty
  Shape shape;               // of the weight as the graph has it
  size_t taps = 1;           // positions of the filter: k = channels * taps
  ValueId weight_value, bias_value;  // the initializers; kNoValue where there is no bias
};

// LinearLayers lists them in the order of execution. Those whose weight is not here (an upload that was not recorded)
// are left out.
std::vector<Layer> LinearLayers(const StaticGraph& graph);

// InputRows is what `layer` multiplies its weight with: one row [k] for each position and image of `x`.
// Errors: kUnsupported (grouped, transposed or other than two-dimensional convolutions).
Result<Matrix> InputRows(const StaticGraph& graph, const Layer& layer, const Tensor& x);
// OutputRows arranges the operator's output in the same order: one row [m] for each position and image.
Result<Matrix> OutputRows(const StaticGraph& graph, const Layer& layer, const Tensor& y);

// WithWeights returns the graph with the weights and biases of `layers` in place of its own. The layers may come from
// the graph bound to any shapes: binding keeps value ids.
Graph WithWeights(const Graph& graph, std::span<const Layer> layers);

}  // namespace soter::audit
