#pragma once

#include <span>

#include "common/wire/control.h"
#include "trusted/engine/choice.h"
#include "trusted/plan/plan.h"

namespace soter {

// ReportPlan tells a person what `plan` does with `graph`. node_ms: times in the enclave, or empty; choice: what was
// measured of both sides, or null.
control::PlanReport ReportPlan(const StaticGraph& graph, const Plan& plan, std::span<const double> node_ms,
                               const Choice* choice);

}  // namespace soter
