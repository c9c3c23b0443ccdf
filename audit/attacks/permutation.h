#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// MatchRows undoes a permutation and scaling of rows: each of the ancestor's rows is paired with the seen row of the
// closest direction (Hungarian method on squared cosines), and scaled to it by least squares.
// Source: ArrowMatch (Wang et al., "Game of Arrows", USENIX Security 2025); the same attack in MPA's code.
Matrix MatchRows(const Matrix& seen, const Matrix& ancestor);

// MatchRowsAndChannels undoes permutations and scalings of output and of input channels (filters of `taps` positions)
// together: starts from profiles that no permutation of the other side changes, then matches one side given the other.
// Source: the attack on Tempo in USM's code, with profiles of sorted magnitudes in place of ratios of column pairs.
Matrix MatchRowsAndChannels(const Matrix& seen, const Matrix& ancestor, size_t taps);

Result<Guess> RecoverRowPermutations(const Knowledge& knowledge);
Result<Guess> RecoverBothPermutations(const Knowledge& knowledge);

}  // namespace soter::audit
