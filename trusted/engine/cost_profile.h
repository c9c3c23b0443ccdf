#pragma once

#include "trusted/engine/accelerator.h"
#include "trusted/engine/fault_campaign.h"
#include "trusted/plan/cost_model.h"

namespace soter {

// CostContext is what costs are measured with.
struct CostContext {
  const control::Settings& settings;
  const WeightStore& weights;
  RandomSource& random;
  Accelerator* accelerator;  // nothing may be loaded there that is still needed; null: the enclave alone is measured
  Layout activation_layout;
  const ProgressFunction& progress;
};

// MeasureCosts runs the whole network once on each side, and everything that plans are made of: switches, transfers,
// checks (where settings.check asks for them), and how much two sides that compute at once slow each other. The
// accelerator is timed by the enclave's own clock, at the results of every layer, on stand-in parameters of the same
// shapes: it learns the architecture, but no parameter. All medians of several runs.
// Errors: those of Program::Compile and Accelerator; an accelerator that cannot run the whole network is refused.
// Leaks: the architecture, to the accelerator.
Result<CostProfile> MeasureCosts(const StaticGraph& graph, const CostContext& context);

}  // namespace soter
