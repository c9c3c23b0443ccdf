#include "trusted/plan/plan.h"

#include "common/graph/op_traits.h"
#include "trusted/mask/scales.h"

namespace soter {
namespace {

bool IsConfidential(Scheme scheme) { return scheme == Scheme::kSoter || scheme == Scheme::kMlcapsule; }

Error Broken(const Node& node, const std::string& rule) {
  return InvalidArgument("plan: node '" + node.name + "' (" + OpName(node.op) + "): " + rule);
}

// What is not public must not reach the accelerator: neither a parameter nor an operator of the private part.
Status CheckPublic(const StaticGraph& graph, const Node& node, const Selection& public_values) {
  for (ValueId value : node.outputs)
    if (value != kNoValue && !public_values.contains(value)) return Broken(node, "private, but on the accelerator");
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    ValueId value = node.inputs[k];
    if (value == kNoValue || graph.initializer(value) == nullptr || RoleOf(graph, node, k) == OperandRole::kStructure) continue;
    if (!public_values.contains(value)) return Broken(node, "with a private parameter on the accelerator");
  }
  return {};
}

Status CheckPlacement(const StaticGraph& graph, const Plan& plan) {
  for (size_t i = 0; i < plan.placement.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    const NodePlacement& placed = plan.placement[i];
    if (!placed.accelerator) {
      if (placed.masked || placed.checked) return Broken(node, "masked or checked, but in the enclave");
      continue;
    }
    if (plan.scheme == Scheme::kMlcapsule) return Broken(node, "mlcapsule offloads nothing");
    if (IsConfidential(plan.scheme) && !placed.masked) return Broken(node, "on the accelerator without a mask");
    if (plan.scheme == Scheme::kEnnclave) TRY(CheckPublic(graph, node, plan.public_values));
    bool plain = plan.scheme == Scheme::kAegisdnn || plan.scheme == Scheme::kEnnclave;
    if (plain && placed.masked) return Broken(node, "masked, under a scheme that masks nothing");
    if (placed.masked && !CanMask(graph, node)) return Broken(node, "a scale does not pass through it");
    if (plan.check == Check::kFreivalds && IsLinear(node.op) && !placed.checked) return Broken(node, "not checked");
    if (plan.check == Check::kFingerprint && !placed.checked)
      return Broken(node, "not checked, and no fingerprint passes through it");
  }
  return {};
}

Status CheckFactors(const StaticGraph& graph, const Plan& plan) {
  std::vector<bool> scaled = ScaledNodes(plan);
  for (size_t i = 0; i < scaled.size(); ++i)
    if (plan.placement[i].masked && !scaled[i]) return Broken(graph.graph().nodes[i], "masked, but without a scale");
  ScaleClasses classes(graph, scaled);
  for (size_t i = 0; i < scaled.size(); ++i)
    if (plan.placement[i].masked && HasUnitFactor(graph, classes, graph.graph().nodes[i]))
      return Broken(graph.graph().nodes[i], "its hidden factor would be 1");
  return {};
}

Status CheckOrder(const StaticGraph& graph, const Plan& plan) {
  const Graph& g = graph.graph();
  std::vector<bool> known(g.value_names.size(), false);
  for (const GraphInput& input : g.inputs) known[input.value] = true;
  for (const Initializer& initializer : g.initializers) known[initializer.value] = true;
  std::vector<bool> ran(g.nodes.size(), false);
  for (const Stage& stage : plan.stages) {
    if (stage.accelerator && plan.check == Check::kFreivalds && !HasLinear(graph, stage))
      return Broken(g.nodes[stage.nodes.at(0)], "in a stage that returns nothing to check");
    for (uint32_t i : stage.nodes) {
      const Node& node = g.nodes[i];
      if (ran[i]) return Broken(node, "runs twice");
      if (plan.placement[i].accelerator != stage.accelerator) return Broken(node, "in a stage of the other side");
      if (stage.accelerator && plan.check == Check::kFingerprint && stage.nodes.size() > 1)
        return Broken(node, "not alone in its stage, where fingerprints have to be");
      for (ValueId value : node.inputs)
        if (value != kNoValue && !known[value]) return Broken(node, "runs before its operands");
      for (ValueId value : node.outputs) known[value] = true;
      ran[i] = true;
    }
  }
  for (size_t i = 0; i < ran.size(); ++i)
    if (!ran[i]) return Broken(g.nodes[i], "never runs");
  return {};
}

Result<Placement> Place(const StaticGraph& graph, Scheme scheme, Check check, const Selection& selection) {
  switch (scheme) {
    case Scheme::kInsecure: return PlaceInsecure(graph);
    case Scheme::kMlcapsule: return PlaceMlcapsule(graph);
    case Scheme::kVerified: return PlaceVerified(graph);
    case Scheme::kSoter: return PlaceSoter(graph, selection, check);
    case Scheme::kAegisdnn: return PlaceAegisdnn(graph, selection);
    case Scheme::kEnnclave: return PlaceEnnclave(graph, selection);
  }
  return Unsupported(std::string("scheme ") + SchemeName(scheme) + " is not in this build");
}

}  // namespace

std::vector<bool> ScaledNodes(const Plan& plan) {
  if (!plan.scaled.empty()) return plan.scaled;
  std::vector<bool> masked;
  for (const NodePlacement& placed : plan.placement) masked.push_back(placed.masked);
  return masked;
}

Result<ValidatedPlan> ValidatedPlan::Validate(const StaticGraph& graph, Plan plan) {
  if (plan.placement.size() != graph.graph().nodes.size()) return InvalidArgument("plan: not one placement per node");
  if (!plan.scaled.empty() && plan.scaled.size() != plan.placement.size())
    return InvalidArgument("plan: not one scale mark per node");
  if (plan.scheme == Scheme::kVerified && plan.check != Check::kFreivalds)
    return InvalidArgument("plan: scheme verified checks every result");
  bool unmasked = plan.scheme == Scheme::kAegisdnn || plan.scheme == Scheme::kEnnclave;
  if (unmasked && plan.check != Check::kNone) return InvalidArgument("plan: aegisdnn and ennclave check nothing");
  TRY(CheckPlacement(graph, plan));
  TRY(CheckFactors(graph, plan));
  TRY(CheckOrder(graph, plan));
  return ValidatedPlan(std::move(plan));
}

Result<ValidatedPlan> PlanGraph(const StaticGraph& graph, Scheme scheme, Check check, const Selection& selection) {
  Plan plan{.scheme = scheme, .check = check};
  plan.placement = TRY(Place(graph, scheme, check, selection));
  if (scheme == Scheme::kEnnclave) plan.public_values = selection;
  plan.stages = ArrangeStages(graph, plan.placement, check);
  return ValidatedPlan::Validate(graph, std::move(plan));
}

std::string Notice(Scheme scheme, Check check) {
  switch (scheme) {
    case Scheme::kInsecure:
      return "insecure: the accelerator sees every weight and input in plaintext, and its results are not checked";
    case Scheme::kMlcapsule:
      return "mlcapsule: nothing leaves the enclave but the answer; sizes and times are visible";
    case Scheme::kVerified:
      return "verified: the accelerator sees every weight and input in plaintext; every result that it returns is checked "
             "up to rounding error (docs/spec/integrity.md)";
    case Scheme::kAegisdnn:
      return "aegisdnn: the accelerator sees the weights and data of every layer that it computes in plaintext, and its "
             "results are not checked; only faults in the layers kept inside are out of its reach";
    case Scheme::kEnnclave:
      return "ennclave: the accelerator sees your input and what the public layers make of it in plaintext, and its "
             "results are not checked; answers are those of the public layers, not of the model's own";
    case Scheme::kSoter: break;
  }
  std::string hidden = "soter: one hidden factor per operator; weights recoverable by anyone with a public ancestor or a few "
                       "images: see docs/audit.md; ";
  switch (check) {
    case Check::kNone:
      return hidden + "results are not checked, and whoever makes them up learns what stays in the enclave too";
    case Check::kFingerprint: return hidden + "fingerprints are spot checks and say nothing about your own result";
    case Check::kFreivalds: return hidden + "every offloaded result is checked up to rounding error";
  }
  return hidden;
}

const char* SchemeName(Scheme scheme) {
  switch (scheme) {
    case Scheme::kInsecure: return "insecure";
    case Scheme::kVerified: return "verified";
    case Scheme::kMlcapsule: return "mlcapsule";
    case Scheme::kAegisdnn: return "aegisdnn";
    case Scheme::kEnnclave: return "ennclave";
    case Scheme::kSoter: return "soter";
  }
  return "unknown";
}

const char* CheckName(Check check) {
  switch (check) {
    case Check::kNone: return "none";
    case Check::kFingerprint: return "fingerprint";
    case Check::kFreivalds: return "freivalds";
  }
  return "unknown";
}

}  // namespace soter
