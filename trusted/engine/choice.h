#pragma once

#include <optional>

#include "trusted/engine/cost_profile.h"
#include "trusted/plan/policy_aegisdnn.h"

namespace soter {

// Choice is what was measured of a network with one set of input shapes, and what follows from it.
struct Choice {
  CostProfile costs;
  std::vector<double> node_rate;        // of aegisdnn, per node: of faults that change the answer; negative: unknown
  uint32_t faults = 0;                  // that were injected
  std::optional<Selection> offloaded;   // of aegisdnn
  std::optional<Protection> protection;
};

// NeedsChoice: plans under these settings depend on measurements.
bool NeedsChoice(const control::Settings& settings);

// Choose measures both sides; under aegisdnn it also injects faults (`samples` as InjectFaults takes them) and decides
// which layers to protect. Errors: those of MeasureCosts and InjectFaults.
Result<Choice> Choose(const StaticGraph& graph, std::span<const Tensor> samples, const CostContext& context);

}  // namespace soter
