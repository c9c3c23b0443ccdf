#pragma once

#include "audit/linear/draw.h"

namespace soter::audit {

// Pair is a public weight and a private one that was fine-tuned from it.
struct Pair {
  Matrix ancestor, truth;
};

// MakePair draws a weight with rows of different sizes, as training leaves them, and a change of `relative` its norm.
inline Pair MakePair(Draw& draw, size_t rows, size_t columns, double relative = 0.05) {
  Matrix ancestor = draw.Gaussian(rows, columns);
  for (size_t i = 0; i < rows; ++i) {
    double size = draw.Uniform(0.5, 1.5);
    for (double& value : ancestor.row(i)) value *= size;
  }
  Matrix change = draw.Gaussian(rows, columns);
  change = (relative * Norm(ancestor) / Norm(change)) * change;
  return {ancestor, ancestor + change};
}

// Adp of a recovered weight: 1 where the ancestor is, 0 where the truth is.
inline double Adp(const Matrix& recovered, const Pair& pair) {
  Matrix change = pair.ancestor - pair.truth;
  return Dot((recovered - pair.truth).values(), change.values()) / Dot(change.values(), change.values());
}

}  // namespace soter::audit
