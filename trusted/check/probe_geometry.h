#pragma once

#include <array>

#include "common/graph/graph.h"

namespace soter {

// SlidingAxis is one spatial axis of a convolution. In a convolution output o reads input o stride + tap dilation -
// pad; in a transposed one input i adds to output i stride + tap dilation - pad.
struct SlidingAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1, pad = 0;
};

// Overlap lists the (input, output) pairs of one tap along an axis: `count` pairs from (in, out) in steps.
struct Overlap {
  int64_t in, out, in_step, out_step, count;
};

// ProbeGeometry describes any linear operator as a convolution over three axes, outermost first: Linear is one with a
// single tap, whose positions are the rows of x.
struct ProbeGeometry {
  bool transposed = false;
  int64_t images = 1, in_channels = 0, out_channels = 0, groups = 1;
  std::array<SlidingAxis, 3> axes;

  int64_t in_positions() const { return axes[0].in * axes[1].in * axes[2].in; }
  int64_t out_positions() const { return axes[0].out * axes[1].out * axes[2].out; }
  int64_t taps() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
  // Products in the longest sum.
  int64_t inner_count() const { return in_channels / groups * taps(); }
};

// GeometryOf a Conv, ConvTranspose or Linear whose operands have these types.
ProbeGeometry GeometryOf(const Node& node, const TensorType& x, const TensorType& weight, const TensorType& y);

// OverlapOf gives all pairs of tap `tap` along `axis`.
Overlap OverlapOf(const SlidingAxis& axis, bool transposed, int64_t tap);

// InputOf is the input that output `out` takes through `tap`, or -1 where there is none.
int64_t InputOf(const SlidingAxis& axis, bool transposed, int64_t tap, int64_t out);

}  // namespace soter
