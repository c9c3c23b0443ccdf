#include "trusted/check/probe_geometry.h"

#include <algorithm>

namespace soter {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }
int64_t FloorDivide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

void SetAxes(const Window& window, const Shape& x, const Shape& y, ProbeGeometry& geometry) {
  size_t rank = window.kernel.size();
  for (size_t i = 0; i < rank; ++i)
    geometry.axes[3 - rank + i] = {x[i + 2], y[i + 2], window.kernel[i], window.strides[i], window.dilations[i],
                                   window.pads_begin[i]};
}

}  // namespace

ProbeGeometry GeometryOf(const Node& node, const TensorType& x, const TensorType& weight, const TensorType& y) {
  ProbeGeometry geometry;
  if (std::holds_alternative<Linear>(node.op)) {
    geometry.out_channels = weight.shape[0], geometry.in_channels = weight.shape[1];
    int64_t rows = 1;
    for (size_t i = 0; i + 1 < x.shape.size(); ++i) rows *= x.shape[i];
    geometry.axes[2].in = geometry.axes[2].out = rows;
    return geometry;
  }
  geometry.images = x.shape[0], geometry.in_channels = x.shape[1], geometry.out_channels = y.shape[1];
  if (const auto* conv = std::get_if<Conv>(&node.op)) {
    geometry.groups = conv->groups;
    SetAxes(conv->window, x.shape, y.shape, geometry);
  } else {
    const auto& transpose = std::get<ConvTranspose>(node.op);
    geometry.transposed = true, geometry.groups = transpose.groups;
    SetAxes(transpose.window, x.shape, y.shape, geometry);
  }
  return geometry;
}

Overlap OverlapOf(const SlidingAxis& axis, bool transposed, int64_t tap) {
  // `from` steps by one, `to` = from * stride + shift.
  int64_t from_extent = transposed ? axis.in : axis.out, to_extent = transposed ? axis.out : axis.in;
  int64_t shift = tap * axis.dilation - axis.pad;
  int64_t first = std::max<int64_t>(0, CeilDivide(-shift, axis.stride));
  int64_t last = std::min(from_extent - 1, FloorDivide(to_extent - 1 - shift, axis.stride));
  int64_t count = std::max<int64_t>(0, last - first + 1), to = first * axis.stride + shift;
  if (transposed) return {first, to, 1, axis.stride, count};
  return {to, first, axis.stride, 1, count};
}

int64_t InputOf(const SlidingAxis& axis, bool transposed, int64_t tap, int64_t out) {
  int64_t in;
  if (transposed) {
    int64_t distance = out + axis.pad - tap * axis.dilation;
    if (distance < 0 || distance % axis.stride != 0) return -1;
    in = distance / axis.stride;
  } else {
    in = out * axis.stride + tap * axis.dilation - axis.pad;
  }
  return in >= 0 && in < axis.in ? in : -1;
}

}  // namespace soter
