#pragma once

#include <functional>
#include <string>
#include <vector>

#include "audit/linear/draw.h"
#include "audit/view/layer.h"
#include "audit/view/view.h"

namespace soter::audit {

// Masks whose breaks are published or known, as positive controls: they exist here alone, and an audit that does not
// break them is itself broken. Each hides single weights [m, k], and may hide what is sent.
struct ControlMask {
  std::string name;
  std::function<Matrix(const Layer& layer, uint64_t seed)> hide;  // what the accelerator holds
  size_t loads = 1;           // seen by the adversary; the seed changes with the load where `redrawn`
  bool redrawn = false;
  bool reused_pad = false;    // activations cross under a pad that is the same in every query
};

// ControlMasks lists GroupCover (k = 4), ObfuscaTune, and additive masks with few stages, a constant spectrum, taps that
// share a mask, a reused pad, and a mask drawn again at every load.
std::vector<ControlMask> ControlMasks();

// RotationMask draws R = amplitude Q1 diag(d) Q2 [rows, columns], where Q1 and Q2 are products of `stages` layers of plane
// rotations with random pairings and d the singular values of a Gaussian matrix: elements of R have deviation `amplitude`.
Matrix RotationMask(Draw& draw, size_t rows, size_t columns, int stages, double amplitude);

// MaskedViews is what an accelerator would have seen of `truth` (bound to one query) under a mask: every linear operator
// a segment of its own, one view for each load. `queries` are the adversary's own inputs.
// Errors: those of Program::Compile.
Result<std::vector<View>> MaskedViews(const StaticGraph& truth, const ControlMask& mask,
                                      std::span<const Tensor> queries, uint64_t seed);

}  // namespace soter::audit
