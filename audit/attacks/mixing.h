#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// UnmixGroups undoes a mixing of rows in unknown groups of at most `group` rows: the regression of the ancestor's rows on
// all seen rows shows which belong together; each row is then fitted on its own group alone.
// Source: MPA's attack on GroupCover (ICML 2024), with one regression in place of Lasso and exhaustive search.
Matrix UnmixGroups(const Matrix& seen, const Matrix& ancestor, size_t group);

// UnmixRows undoes a dense mixing of all rows: K seen with K = ancestor pinv(seen). Leaves 1 - m / n of the difference.
Matrix UnmixRows(const Matrix& seen, const Matrix& ancestor);

// UnrotateInputs undoes an orthogonal mixing of the input channels, the same at each of `taps` positions, by Procrustes.
// Source: the attack on ObfuscaTune in MPA's code.
Matrix UnrotateInputs(const Matrix& seen, const Matrix& ancestor, size_t taps);

// UnrotateBoth undoes orthogonal mixings of output and input channels that all `taps` positions share: the Gram matrices
// of pairs of positions give a linear system for the output mix (its least singular vector, by steepest descent in
// subspaces of three), Procrustes the input mix, then both alternate.
// Source: this project's shared-mix solver. Needs at least two positions.
Matrix UnrotateBoth(const Matrix& seen, const Matrix& ancestor, size_t taps);

Result<Guess> RecoverGroups(const Knowledge& knowledge);
Result<Guess> RecoverDenseMix(const Knowledge& knowledge);
Result<Guess> RecoverRotation(const Knowledge& knowledge);
Result<Guess> RecoverSharedMix(const Knowledge& knowledge);

}  // namespace soter::audit
