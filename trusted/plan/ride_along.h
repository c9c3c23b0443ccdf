#pragma once

#include <functional>

#include "trusted/plan/placement.h"

namespace soter {

// RideAlong moves to the accelerator the nodes that `may_ride` allows and that save a crossing: one of their data
// operands is computed there already, and either somebody there needs their result or `trailing` is set (a ReLU
// behind the last offloaded operator). Nodes that are placed already are left as they are.
// `rider` is the placement that they get.
void RideAlong(const StaticGraph& graph, const std::function<bool(const Node&)>& may_ride, bool trailing,
               const NodePlacement& rider, Placement& placement);

}  // namespace soter
