#pragma once

#include "common/graph/bind.h"

namespace soter {

// CanOffload: a Conv, ConvTranspose or Linear on data, with constant weight and bias and nothing fused to it, so that
// its own result can be masked and checked.
bool CanOffload(const StaticGraph& graph, const Node& node);

}  // namespace soter
