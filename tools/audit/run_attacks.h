#pragma once

#include "audit/attacks/attack.h"
#include "tools/audit/outcome.h"
#include "tools/audit/record.h"

namespace soter::audit {

// RunAttacks runs each attack on what was recorded of `victim` and scores it; the last outcome, "all", is the adversary
// that puts the best of every attack together. `guesses` (may be null) takes that best guess.
Result<std::vector<Outcome>> RunAttacks(const Victim& victim, const Target& target, std::span<const View> loads,
                                        std::span<const Attack> attacks, Progress* progress, Guess* best);

// Score fills in what a guess is worth: layers, findings and behaviour. Errors: those of ScoreGuess and Judge.
Status Score(const Victim& victim, const Guess& guess, Outcome& outcome);

}  // namespace soter::audit
