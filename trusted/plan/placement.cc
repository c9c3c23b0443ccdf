#include "trusted/plan/placement.h"

#include <cmath>

#include "common/graph/accelerator_set.h"
#include "common/graph/op_traits.h"

namespace soter {

Selection SelectAtRandom(const Graph& graph, double theta, RandomSource& random) {
  std::vector<ValueId> linear;
  for (const Node& node : graph.nodes)
    if (IsLinear(node.op)) linear.push_back(node.outputs[0]);
  size_t wanted = static_cast<size_t>(std::llround(theta * static_cast<double>(linear.size())));
  for (size_t i = 0; i < wanted; ++i)  // the first steps of a Fisher-Yates shuffle
    std::swap(linear[i], linear[i + random.NextBelow(linear.size() - i)]);
  return Selection(linear.begin(), linear.begin() + static_cast<ptrdiff_t>(wanted));
}

Placement PlaceInsecure(const StaticGraph& graph) {
  Placement placement;
  for (const Node& node : graph.graph().nodes) {
    bool offloaded = InAcceleratorSet(graph, node);
    placement.push_back({.accelerator = offloaded, .reason = offloaded ? "insecure: everything is offloaded"
                                                                       : "accelerators do not compute it"});
  }
  return placement;
}

Placement PlaceMlcapsule(const StaticGraph& graph) {
  return Placement(graph.graph().nodes.size(), {.reason = "mlcapsule: everything stays in the enclave"});
}

}  // namespace soter
