#include "common/graph/op_traits.h"
#include "trusted/mask/scales.h"
#include "trusted/plan/placement.h"
#include "trusted/plan/ride_along.h"

namespace soter {
namespace {

// A fused activation or residual would hide the linear result that a check needs; importers never make them.
bool IsPlain(const Node& node) {
  bool active = std::visit([](const auto& op) {
    if constexpr (requires { op.activation; }) return op.activation != Activation::kNone;
    return false;
  }, node.op);
  return !active && node.inputs.size() <= 3;
}

bool CanOffload(const StaticGraph& graph, const Node& node) {
  return IsLinear(node.op) && IsPlain(node) && CanMask(graph, node);
}

std::string WhyInEnclave(const StaticGraph& graph, const Node& node) {
  if (IsLinear(node.op)) return CanOffload(graph, node) ? "not picked" : "its weight is not a constant, or it is fused";
  if (CanMask(graph, node)) return "no offloaded neighbour needs it";
  return "a scale does not pass through it";
}

}  // namespace

Placement PlaceSoter(const StaticGraph& graph, const Selection& selection, Check check) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  Placement placement(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!CanOffload(graph, nodes[i]) || !selection.contains(nodes[i].outputs[0])) continue;
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
