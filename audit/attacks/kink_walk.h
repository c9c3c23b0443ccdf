#pragma once

#include <cstdint>
#include <functional>

#include "audit/linear/matrix.h"

namespace soter::audit {

// StageOracle is an enclave stage x = B relu(A y + b) under static masks folded into A and B, as an accelerator that may
// answer anything sees it: it returns y and is handed x. An empty answer: the stage refused (a check failed).
using StageOracle = std::function<std::vector<double>(std::span<const double> y)>;

struct StageGuess {
  Matrix outputs;          // columns of B, up to scale and sign, one for each kink that was found
  size_t calls = 0;        // of the oracle
  bool refused = false;    // the oracle gave no answer: nothing can be learned actively
};

// WalkKinks walks along a random line through the stage's inputs [width]: the stage is piecewise affine there, and every
// kink changes the slope by a multiple of one column of B. At most `most_calls` calls.
// Source: this project; the same idea as the differential attack of an ICLR 2026 submission.
StageGuess WalkKinks(const StageOracle& stage, size_t width, size_t most_calls, uint64_t seed);

// SolveStageRows, given all columns of B, finds the rows of [A b] up to scale by least squares where each unit is active.
// inputs [samples, width], outputs [samples, B's rows].
Matrix SolveStageRows(const Matrix& columns, const Matrix& inputs, const Matrix& outputs);

}  // namespace soter::audit
