#pragma once

#include "audit/attacks/alignment.h"

namespace soter::audit {

// ValueScales estimates the hidden factor of every value that the accelerator saw, as SOTER masks them: an operator's
// weight carries s_out / s_in, its bias s_out (docs/spec/masking.md). Each comparison with the ancestor, with the
// adversary's own inputs and with the answers that it got is one linear equation in the logarithms.
class ValueScales {
 public:
  ValueScales(const StaticGraph& ancestor, const View& view, const Alignment& alignment);

  // Of an ancestor's value; 1 where nothing is known of it.
  double Of(ValueId value) const;

 private:
  std::map<ValueId, double> scales_;
};

// LeastSquaresFactor is the f that minimises ||seen - f plain||.
double LeastSquaresFactor(std::span<const double> seen, std::span<const double> plain);

}  // namespace soter::audit
