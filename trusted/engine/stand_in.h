#pragma once

#include "common/tensor/tensor.h"
#include "trusted/mask/random_source.h"

namespace soter {

// MakeStandIn makes a parameter that takes as long to compute with as a real one, and tells nothing about it: normal
// values of the size that keeps activations from growing or vanishing (He et al. 2015), one short sequence of them
// over and over; zeros for types other than float32. Errors: kExhausted.
Result<Tensor> MakeStandIn(const TensorType& type, RandomSource& random);

}  // namespace soter
