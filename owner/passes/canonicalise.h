#pragma once

#include <functional>

#include "common/graph/graph.h"

namespace soter {

// Canonicalise runs every pass in the order that lets each find what those before it have uncovered.
// `after_pass` sees the graph after each (tests validate it there). Errors: those of the passes.
Result<Graph> Canonicalise(Graph graph,
                           const std::function<void(const char* pass, const Graph&)>& after_pass = nullptr);

}  // namespace soter
