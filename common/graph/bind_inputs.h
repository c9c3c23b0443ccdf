#pragma once

#include <span>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

// BindInputs checks `input_shapes` against the graph's inputs and gives each symbol one extent.
// Errors: kInvalidArgument, naming the input and what it accepts.
Status BindInputs(const Graph& graph, std::span<const Shape> input_shapes);

}  // namespace soter
