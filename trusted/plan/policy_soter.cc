#include <optional>

#include "common/graph/accelerator_set.h"
#include "common/graph/op_traits.h"
#include "trusted/check/rounding.h"
#include "trusted/mask/scales.h"
#include "trusted/plan/offloadable.h"
#include "trusted/plan/placement.h"
#include "trusted/plan/ride_along.h"

namespace soter {
namespace {

std::string WhyInEnclave(const StaticGraph& graph, const Node& node, bool picked, Check check) {
  if (IsLinear(node.op) && !CanOffload(graph, node)) return "its weight is not a constant, or it is fused";
  if (IsLinear(node.op)) return picked ? "picked, but checking it would cost too much" : "not picked";
  if (CanMask(graph, node) && check == Check::kFingerprint) return "a fingerprint does not pass through it";
  if (CanMask(graph, node)) return "no offloaded neighbour needs it";
  return "a scale does not pass through it";
}

size_t CountDataInputs(const StaticGraph& graph, const Node& node) {
  size_t count = 0;
  for (size_t k = 0; k < node.inputs.size(); ++k) count += RoleOf(graph, node, k) == OperandRole::kData;
  return count;
}

// The last node on the accelerator that joins several values into the class of `value`.
std::optional<size_t> LastJoin(const StaticGraph& graph, const Placement& placement, const ScaleClasses& classes,
                               ValueId value) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  for (size_t i = nodes.size(); i-- > 0;)
    if (placement[i].masked && !IsLinear(nodes[i].op) && CountDataInputs(graph, nodes[i]) > 1 &&
        classes.Representative(nodes[i].outputs[0]) == classes.Representative(value))
      return i;
  return std::nullopt;
}

// An operator whose input and output were forced to one scale would cross with the factor 1, in plaintext. The sums
// that force it are taken back into the enclave, one by one from the end, until every factor is free.
void SeparateScales(const StaticGraph& graph, Placement& placement) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<bool> masked;
    for (const NodePlacement& placed : placement) masked.push_back(placed.masked);
    ScaleClasses classes(graph, masked);
    for (size_t i = 0; i < nodes.size() && !changed; ++i) {
      if (!masked[i] || !HasUnitFactor(graph, classes, nodes[i])) continue;
      std::optional<size_t> join = LastJoin(graph, placement, classes, nodes[i].outputs[0]);
      placement[join.value_or(i)] = {.reason = "would force the factor 1 on an operator"};
      changed = true;
    }
  }
}

}  // namespace

Placement PlaceSoter(const StaticGraph& graph, const Selection& selection, Check check) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  Placement placement(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!CanOffload(graph, nodes[i]) || !selection.contains(nodes[i].outputs[0])) continue;
    if (check == Check::kFreivalds && !IsCheapToCheck(graph, nodes[i])) continue;
    placement[i] = {.accelerator = true, .masked = true, .checked = check != Check::kNone, .reason = "picked at random"};
  }
  // Freivalds makes the enclave repeat what follows a checked result, so a trailing rider would be computed twice.
  // Fingerprints are answered by single linear operators, and a batch that hides them must look like no other.
  auto may_ride = [&](const Node& node) {
    return !IsLinear(node.op) && CanMask(graph, node) && InAcceleratorSet(graph, node);
  };
  if (check != Check::kFingerprint)
    RideAlong(graph, may_ride, check != Check::kFreivalds,
              {.accelerator = true, .masked = true, .reason = "rides along"}, placement);
  SeparateScales(graph, placement);
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!placement[i].accelerator && placement[i].reason.empty())
      placement[i].reason = WhyInEnclave(graph, nodes[i], selection.contains(nodes[i].outputs[0]), check);
  return placement;
}

}  // namespace soter
