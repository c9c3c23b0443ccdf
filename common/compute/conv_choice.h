#pragma once

#include <vector>

#include "common/compute/builder.h"

namespace soter::compute {

// ChooseConvAlgorithms decides which convolutions among `units` use Winograd's algorithm (Lavin and Gray 2015), and
// tells the builder. Each pair of candidates is timed once (TuningCache); where the larger weights of all that win do
// not fit into the builder's spare bytes, those come first that save the most time for a byte. Both algorithms are
// right, so a clock that lies costs time only. May throw dnnl::error.
void ChooseConvAlgorithms(Builder& builder, const std::vector<Unit>& units);

}  // namespace soter::compute
