#pragma once

#include <optional>

#include "audit/attacks/alignment.h"

namespace soter::audit {

// EnclaveStage is what the enclave does between an answer of the accelerator and the next thing that can be seen: one
// operator that it kept, or two with a ReLU between them.
struct EnclaveStage {
  size_t segment, output;      // the accelerator's answer that enters
  ValueId entry;               // the ancestor's name of it
  std::vector<size_t> path;    // the ancestor's nodes from there to the first operator, in order
  std::vector<size_t> layers;  // the operators, as numbers of the alignment's layers
};

// FindStages lists them, as far as Preimage can go through their beginning.
std::vector<EnclaveStage> FindStages(const StaticGraph& ancestor, const View& view, const Alignment& alignment);

// Preimage is a value for the stage's entry that arrives at its first operator as `wanted` (of that operator's input type,
// nowhere negative): backwards through ReLU, reshapes and pooling over windows that do not overlap.
Tensor Preimage(const StaticGraph& ancestor, const EnclaveStage& stage, const Tensor& wanted);

}  // namespace soter::audit
