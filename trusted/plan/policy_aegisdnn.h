#pragma once

#include <span>

#include "trusted/plan/cost_model.h"
#include "trusted/plan/layers.h"
#include "trusted/plan/protection.h"

namespace soter {

// MakeProtectionProblem puts AegisDNN's question: rates has one entry for each layer.
ProtectionProblem MakeProtectionProblem(const StaticGraph& graph, std::span<const Layer> layers,
                                        std::span<const double> rates, const CostProfile& costs);

// OffloadedBy is the selection that PlaceAegisdnn takes: what the layers on the accelerator compute.
Selection OffloadedBy(const StaticGraph& graph, std::span<const Layer> layers, const Protection& protection);

}  // namespace soter
