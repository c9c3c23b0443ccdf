#include "trusted/plan/take_back.h"

#include <algorithm>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

constexpr const char* kReason = "the accelerator did not take it";

// Takes back the riders that no longer save a crossing: those without an operand that the accelerator computes, or,
// under a check that makes the enclave repeat them, without anybody there who needs their result.
bool TakeBackRiders(const StaticGraph& graph, bool needs_consumer, Placement& placement) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  std::set<ValueId> produced, consumed;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!placement[i].accelerator) continue;
    produced.insert(nodes[i].outputs.begin(), nodes[i].outputs.end());
    consumed.insert(nodes[i].inputs.begin(), nodes[i].inputs.end());
  }
  auto any_in = [](const std::vector<ValueId>& values, const std::set<ValueId>& set) {
    return std::ranges::any_of(values, [&](ValueId value) { return value != kNoValue && set.contains(value); });
  };
  bool changed = false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!placement[i].accelerator || IsLinear(nodes[i].op)) continue;
    if (any_in(nodes[i].inputs, produced) && (!needs_consumer || any_in(nodes[i].outputs, consumed))) continue;
    placement[i] = {.reason = "no offloaded neighbour is left"};
    changed = true;
  }
  return changed;
}

}  // namespace

Result<ValidatedPlan> TakeBack(const StaticGraph& graph, const Plan& plan, const std::set<ValueId>& values) {
  Plan made{.scheme = plan.scheme, .check = plan.check, .placement = plan.placement, .public_values = plan.public_values,
            .scaled = ScaledNodes(plan)};
  const std::vector<Node>& nodes = graph.graph().nodes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    bool taken = made.placement[i].accelerator && values.contains(nodes[i].outputs[0]);
    if (taken) made.placement[i] = {.reason = kReason};
  }
  // In plaintext an operator is offloaded for its own sake, not as a rider.
  while (plan.scheme != Scheme::kInsecure && TakeBackRiders(graph, plan.check == Check::kFreivalds, made.placement)) continue;
  made.stages = ArrangeStages(graph, made.placement, made.check);
  return ValidatedPlan::Validate(graph, std::move(made));
}

}  // namespace soter
