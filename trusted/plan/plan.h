#pragma once

#include "trusted/plan/stages.h"

namespace soter {

// Plan is what a policy decided for one static graph.
struct Plan {
  Scheme scheme = Scheme::kMlcapsule;
  Check check = Check::kNone;
  Placement placement;
  Selection public_values;  // of ennclave: results and parameters that the accelerator may have
  std::vector<Stage> stages;
  // Nodes whose operands and results share scales; empty: those that are masked. After TakeBack also what was masked
  // before it.
  std::vector<bool> scaled;
};

// ScaledNodes is plan.scaled, or the masked nodes where that is empty.
std::vector<bool> ScaledNodes(const Plan& plan);

// ValidatedPlan keeps the rules of its scheme (docs/spec/plan.md), whichever policy made it: each node runs once and
// after what it needs; under a confidential scheme every parameter on the accelerator is masked; under Freivalds
// every linear result from the accelerator is checked; under ennclave it has public operators and parameters only.
class ValidatedPlan {
 public:
  // Validate checks `plan` against `graph`. Errors: kInvalidArgument, naming the node and the rule.
  static Result<ValidatedPlan> Validate(const StaticGraph& graph, Plan plan);
  const Plan& plan() const { return plan_; }

 private:
  explicit ValidatedPlan(Plan plan) : plan_(std::move(plan)) {}
  Plan plan_;
};

// PlanGraph applies the policy of `scheme`. `selection` is, by scheme: the linear operators that soter drew, what
// aegisdnn offloads, what is public under ennclave; the others need none.
// Errors: those of Validate.
Result<ValidatedPlan> PlanGraph(const StaticGraph& graph, Scheme scheme, Check check, const Selection& selection);

// Notice is the honest line about what a scheme does not hide or catch.
std::string Notice(Scheme scheme, Check check);
const char* SchemeName(Scheme scheme);
const char* CheckName(Check check);

}  // namespace soter
