#pragma once

#include "trusted/plan/stages.h"

namespace soter {

// Shadow is how the enclave follows a checked stage that the accelerator runs: it takes in the result of every linear
// operator, and computes everything between two of them itself, from results that it has taken in.
struct Shadow {
  struct Step {
    Stage before;   // what the enclave computes between the result before this one and this one; may be empty
    uint32_t node;  // the linear operator whose result comes in
  };
  std::vector<Step> steps;  // in the order in which the results become ready
  Stage after;              // what it computes behind the last one
};

// ShadowOf divides `stage`; the inputs and outputs of each part are values that another part or stage makes or needs.
Shadow ShadowOf(const StaticGraph& graph, const Stage& stage);

}  // namespace soter
