#pragma once

#include <vector>

#include "trusted/plan/placement.h"

namespace soter {

// Stage is a set of nodes that one side computes without a switch, in order of execution.
struct Stage {
  bool accelerator = false;
  std::vector<uint32_t> nodes;   // indexes into the graph's nodes
  std::vector<ValueId> inputs;   // values that come from outside the stage; no initializers
  std::vector<ValueId> outputs;  // values that later stages or the caller need, in the order they are computed
};

// SplitIntoStages orders the nodes so that each side is drained before the other is entered: few, large stages. Under
// fingerprints each operator on the accelerator is a stage of its own, since its input and result are the enclave's.
// Cost: linear in the graph.
std::vector<Stage> SplitIntoStages(const StaticGraph& graph, const Placement& placement, Check check);

// ArrangeStages splits into stages and makes sure that under Freivalds each one on the accelerator has a linear operator: a
// segment of others would return nothing that can be checked, so its nodes are placed in the enclave instead.
std::vector<Stage> ArrangeStages(const StaticGraph& graph, Placement& placement, Check check);

// HasLinear: there is a linear operator in `stage`.
bool HasLinear(const StaticGraph& graph, const Stage& stage);

// ReturnedValues are what the accelerator returns for `stage`: its outputs; under Freivalds the result of every linear
// operator instead, in the order they are computed, from which the enclave makes the rest.
std::vector<ValueId> ReturnedValues(const StaticGraph& graph, Check check, const Stage& stage);

}  // namespace soter
