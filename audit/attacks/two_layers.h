#pragma once

#include <functional>

#include "audit/attacks/attack.h"

namespace soter::audit {

// TwoLayers is x = second relu(first z + b) + c: the biases are the last columns. first [h, n + 1], second [m, h + 1].
struct TwoLayers {
  Matrix first, second;
};

// TwoLayersWalk is what WalkTwoLayers found; units whose kink did not show stay the ancestor's.
struct TwoLayersWalk {
  TwoLayers found;
  size_t units = 0;  // kinks that were crossed one by one
  size_t rows = 0;   // inputs that were evaluated
};

// RowsOracle evaluates the stage on every row of its argument [rows, n], nowhere negative; returns [rows, m].
using RowsOracle = std::function<Result<Matrix>(const Matrix&)>;

// WalkTwoLayers finds both layers of a piecewise affine stage of which nothing between can be seen. From a point where every
// unit is far from its kink, as far as the ancestor can tell, it steps across one kink after the other: the slope changes
// there by the product of a column of `second` and a row of `first`, which gives both, and the offset by the bias.
// n + 1 inputs for each kink; `most_units` limits how many units are looked for. The split of the product between both
// layers is free (the function is the same), so the ancestor's is taken. Errors: those of the oracle.
// Source: this project; slopes across kinks as in Carlini, Jagielski, Mironov (CRYPTO 2020), with a public ancestor as a map.
Result<TwoLayersWalk> WalkTwoLayers(const RowsOracle& stage, const TwoLayers& ancestor, size_t most_units, uint64_t seed);

}  // namespace soter::audit
