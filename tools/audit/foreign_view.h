#pragma once

#include "tools/audit/audit_options.h"

namespace soter::audit {

// AttackForeignView runs the attacks on recordings that others made (--view, once for each load) against an ancestor;
// writes every guess to REPORT/guesses/ATTACK and returns a table. With a truth each guess is scored.
// Errors: those of ReadView, ImportOnnx, ScoreGuess and of the attacks.
Result<std::string> AttackForeignView(const AuditOptions& options);

}  // namespace soter::audit
