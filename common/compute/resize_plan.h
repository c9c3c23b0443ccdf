#pragma once

#include <span>
#include <vector>

#include "common/graph/ops.h"

// Resize as weighted sums along one axis at a time: what every backend computes, and the only place that knows how
// ONNX maps coordinates.
namespace soter::compute {

struct ResizeTap {
  int64_t index;
  float weight;
};

// ResizePass resizes [outer, in, inner] to [outer, out, inner]: position p of `out` is the sum of
// taps[p taps_per_position, (p + 1) taps_per_position).
struct ResizePass {
  int64_t outer, in, out, inner;
  size_t taps_per_position = 1;
  std::vector<ResizeTap> taps;
};

// PlanResize returns the passes from `from` to `to`, one for each axis that changes. `scales` is empty or has one
// entry per axis, which then decides the coordinates instead of the extents.
std::vector<ResizePass> PlanResize(const Resize& op, Shape from, const Shape& to, std::span<const float> scales);

}  // namespace soter::compute
