#include "trusted/plan/placement.h"

namespace soter {

Placement PlaceEnnclave(const StaticGraph& graph, const Selection& public_values) {
  Placement placement;
  for (const Node& node : graph.graph().nodes) {
    bool is_public = public_values.contains(node.outputs[0]);
    placement.push_back({.accelerator = is_public, .reason = is_public ? "public" : "private"});
  }
  return placement;
}

}  // namespace soter
