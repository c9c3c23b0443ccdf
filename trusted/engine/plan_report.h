#pragma once

#include <span>

#include "common/wire/control.h"
#include "trusted/plan/plan.h"

namespace soter {

// ReportPlan tells a person what `plan` does with `graph`. node_ms: measured times, or empty.
control::PlanReport ReportPlan(const StaticGraph& graph, const Plan& plan, std::span<const double> node_ms);

}  // namespace soter
