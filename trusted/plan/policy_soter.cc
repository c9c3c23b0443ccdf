#include "common/graph/op_traits.h"
#include "trusted/mask/scales.h"
#include "trusted/plan/placement.h"
#include "trusted/plan/ride_along.h"

namespace soter {
namespace {

std::string WhyInEnclave(const StaticGraph& graph, const Node& node) {
  if (IsLinear(node.op)) return CanMask(graph, node) ? "not picked" : "its weight is not a constant";
  if (CanMask(graph, node)) return "no offloaded neighbour needs it";
  return "a scale does not pass through it";
}

}  // namespace

Placement PlaceSoter(const StaticGraph& graph, const Selection& selection, Check check) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  Placement placement(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!IsLinear(nodes[i].op) || !selection.contains(nodes[i].outputs[0]) || !CanMask(graph, nodes[i])) continue;
    placement[i] = {.accelerator = true, .masked = true, .checked = check != Check::kNone, .reason = "picked at random"};
  }
  // Freivalds makes the enclave repeat what follows a checked result, so a trailing rider would be computed twice.
  RideAlong(graph, [&](const Node& node) { return !IsLinear(node.op) && CanMask(graph, node); },
            check != Check::kFreivalds, {.accelerator = true, .masked = true, .reason = "rides along"}, placement);
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!placement[i].accelerator) placement[i].reason = WhyInEnclave(graph, nodes[i]);
  return placement;
}

}  // namespace soter
