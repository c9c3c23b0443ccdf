#pragma once

#include <optional>

#include "audit/attacks/attack.h"

namespace soter::audit {

// Attacks on additive masks, seen = W + R, that are made wrongly. The adversary knows how R is drawn.

// PeelRotations attacks R = Q1 diag(d) Q2 where Q1 and Q2 are products of few stages of plane rotations with secret random
// pairings: singular vectors of seen - ancestor show Q1 and Q2, with few stages they are sparse, rows with equal support
// are partners, and each stage's angles follow. All angles are then refined by least squares, stage by stage. Elements that
// stay implausibly far from the ancestor, where partners were mistaken, are left at the ancestor's.
// Empty where the vectors are not sparse: no partners show.
// Source: this project's SVD-and-peel.
std::optional<Matrix> PeelRotations(const Matrix& seen, const Matrix& ancestor);

// RemoveOrthogonalMask attacks R = c Q with orthogonal rows (a constant spectrum): the multiple of an orthogonal matrix
// nearest to seen - ancestor. Half of the difference lies in directions that no orthogonal matrix can explain.
Matrix RemoveOrthogonalMask(const Matrix& seen, const Matrix& ancestor);

// RemoveSharedTaps attacks an R that is the same at each of `taps` positions of a filter: the mean over the positions.
Matrix RemoveSharedTaps(const Matrix& seen, const Matrix& ancestor, size_t taps);

// AverageLoads attacks an R that is drawn again at every load: the mean of all loads, moved towards the ancestor by how
// much of it is still mask (its variance from the spread between loads).
Matrix AverageLoads(std::span<const Matrix> loads, const Matrix& ancestor);

Result<Guess> RecoverFromRotations(const Knowledge& knowledge);
Result<Guess> RecoverFromOrthogonalMask(const Knowledge& knowledge);
Result<Guess> RecoverFromSharedTaps(const Knowledge& knowledge);
Result<Guess> RecoverFromReloads(const Knowledge& knowledge);

}  // namespace soter::audit
