#pragma once

#include "trusted/plan/cost_model.h"

namespace soter {

// FastestPlan looks for the placement of least PredictMs that the scheme allows: under soter and verified, which of the
// linear operators in `most` are offloaded after all. Operators ride along, and rules hold, as under the scheme's own
// policy. It never offloads what `most` does not name, so a random choice stays a bound.
// Up to kExhaustiveOperators operators every subset is tried; else runs of neighbours are moved, from all of them and
// from none, as long as that helps, and at most kMaxTrials placements are looked at.
// Other schemes fix every placement; they get it. Errors: those of ValidatedPlan::Validate.
inline constexpr size_t kExhaustiveOperators = 8, kMaxTrials = 1500;
Result<ValidatedPlan> FastestPlan(const StaticGraph& graph, Scheme scheme, Check check, const Selection& most,
                                  const CostProfile& costs);

}  // namespace soter
