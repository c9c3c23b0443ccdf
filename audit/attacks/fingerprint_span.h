#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// SharedSpan finds the directions in which two sets of observed vectors (rows) both lie: combinations of a few fixed
// vectors give them away, since what differs from query to query has no exact direction in common. Returns an
// orthonormal basis [dimension, K]; empty where there is none or the sets are too large to tell.
// Source: arXiv 2602.11088, against fingerprints made of K cornerstones.
Matrix SharedSpan(const Matrix& first, const Matrix& second);

// OutsideSpan is the share of each row's length that lies outside: below kInSpan it is a fingerprint.
std::vector<double> OutsideSpan(const Matrix& basis, const Matrix& rows);
inline constexpr double kInSpan = 1e-3;

// FindFingerprints looks for a span at every input of the accelerator, and says which runs are then taken for checks.
Result<Guess> FindFingerprints(const Knowledge& knowledge);

}  // namespace soter::audit
