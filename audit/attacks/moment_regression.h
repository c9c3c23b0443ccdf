#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// RegressOnAncestor estimates relu(rows w + b) = target where both sides are hidden by fresh pads, from what the
// ancestor computes for the same inputs: its activations are close to the victim's and independent of every pad, so they
// serve as instruments. w = E[z x^T]^-1 E[z y] over queries in which the ancestor's operator is clearly active; pads
// vanish from the moments as one over the square root of the number of rows.
//   padded_rows [rows, k], padded_targets [rows, m]: what crossed; clean_rows [rows, k]: the ancestor's
// Starts from the ancestor's weight and bias [m, k + 1]; `ridge` (relative) holds it there where moments say little.
Matrix RegressOnAncestor(const Matrix& padded_rows, const Matrix& padded_targets, const Matrix& clean_rows,
                         const Matrix& ancestor, double ridge);

// RegressPaddedTraffic applies it to operators kept in the enclave whose input and output cross under pads.
// Source: errors-in-variables regression by instruments (Wald 1940; Reiersol 1941), as an attack this project's own.
Result<Guess> RegressPaddedTraffic(const Knowledge& knowledge);

}  // namespace soter::audit
