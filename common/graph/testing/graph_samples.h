#pragma once

#include <vector>

#include "common/graph/graph.h"

namespace soter {

// SampleGraphs returns small valid graphs that together hold every operator; each can be bound with every
// symbol at 1, 2 or 3. For tests, and as the seeds of the fuzzer.
std::vector<Graph> SampleGraphs();

}  // namespace soter
