#pragma once

#include "trusted/plan/plan.h"

namespace soter {

// TakeBack is `plan` without the nodes that compute `values`: the enclave computes these, because the accelerator did
// not take them, and also what rode along only because of them. Everything else stays where it was, under the mask
// that it had: a second mask of the same weight would help an attacker (trusted/mask/scales.h).
// Errors: those of ValidatedPlan::Validate.
Result<ValidatedPlan> TakeBack(const StaticGraph& graph, const Plan& plan, const std::set<ValueId>& values);

}  // namespace soter
