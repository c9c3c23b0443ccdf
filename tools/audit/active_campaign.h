#pragma once

#include "audit/attacks/active.h"
#include "tools/audit/outcome.h"
#include "tools/audit/victim.h"
#include "tools/cli/session.h"

namespace soter::audit {

// How many loads the adversary tries where the enclave notices: after three failed checks a worker is given up.
inline constexpr size_t kActiveLoads = 3;

// AttackWithChoices runs the attacks of an accelerator that chooses its answers (audit/attacks/active.h) against the real
// enclave under `settings`, whose check decides how far it gets; `target` says what is reported. A load in which the enclave
// notices is tried again, kActiveLoads times. `found` takes the guess. Errors: those of EnclaveSession but for refusals, and
// of scoring.
Result<Outcome> AttackWithChoices(const Victim& victim, const Target& target, const control::Settings& settings,
                                  const Tensor& batch, const std::filesystem::path& directory,
                                  const ActiveEffort& effort, Guess* found);

}  // namespace soter::audit
