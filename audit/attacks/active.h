#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// Attacks by an accelerator that answers what it likes, while the enclave processes queries that the adversary makes itself.

// Choice is an answer that the accelerator makes up in place of what it was asked to compute.
struct Choice {
  size_t segment, output;
  Tensor answer;  // dense; one row for each of the adversary's queries in the batch
};

// Reply is what the adversary has of a batch of its queries in which it chose an answer.
struct Reply {
  std::vector<Tensor> answers;                 // the network's, as they came back to it
  std::map<size_t, std::vector<Tensor>> sent;  // by segment: what the enclave sent there afterwards, the adversary's rows alone
};

// ChoosingAccelerator is such an accelerator during one load of the victim; the adversary always sends the same batch.
class ChoosingAccelerator {
 public:
  virtual ~ChoosingAccelerator() = default;

  // View is what it saw of the load and of the batch, answered honestly once.
  virtual const View& view() const = 0;
  // Ask sends the batch again and answers as chosen. Errors: kIntegrity (the enclave noticed; the load is over), others of
  // a session.
  virtual Result<Reply> Ask(const Choice& choice) = 0;
};

struct ActiveEffort {
  size_t most_units = SIZE_MAX;  // of one operator, to walk
  uint64_t seed = 1;
};

// AttackActively goes through the enclave's stages. One with a single operator is solved by least squares on chosen
// answers; one with two and a ReLU between them by its kinks (kink_walk.h). Stops at the first answer that is refused.
// `ancestor` is bound to the batch. Findings count the queries asked, the kinks, and the refusals.
Result<Guess> AttackActively(const StaticGraph& ancestor, ChoosingAccelerator& accelerator, const ActiveEffort& effort);

}  // namespace soter::audit
