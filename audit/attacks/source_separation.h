#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// SeparateSources undoes an unknown invertible mixing of rows whose elements are sparse and not Gaussian, as ReLU outputs
// are: whitening, then the symmetric fixed point with tanh. Returns the sources, in no order and of no sign or scale;
// empty where the rows do not have full rank.
// Source: FastICA (Hyvarinen 1999), against fresh batch mixing (GELO, arXiv 2603.05035; DarKnight).
Matrix SeparateSources(const Matrix& mixed, int most_rounds, uint64_t seed);

// SeparateTraffic runs it on the rows of each tensor that the enclave sends, and reports how far from Gaussian the
// sources are: what is a pad stays Gaussian or uniform, what is an activation does not.
Result<Guess> SeparateTraffic(const Knowledge& knowledge);

}  // namespace soter::audit
