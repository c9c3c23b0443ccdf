#include <algorithm>

#include "common/base/checked.h"
#include "common/graph/infer.h"

// Operators that slide a window: Conv, ConvTranspose, Pool.
namespace soter {
namespace {

// KernelSpan is how many elements a dilated kernel covers along one axis; below 2^62 for valid attributes.
int64_t KernelSpan(const Window& window, size_t axis) {
  return (window.kernel[axis] - 1) * window.dilations[axis] + 1;
}

Status ExpectSpatialRank(const Operands& in, const Window& window) {
  if (in.shape(0).size() != window.kernel.size() + 2)
    return Malformed("operand 0 has shape " + ShapeString(in.shape(0)) + " but the window slides over " +
                     std::to_string(window.kernel.size()) + " axes");
  return {};
}

// SetSamePads makes the output ceil(extent / stride) long, as SAME_UPPER and SAME_LOWER ask.
Status SetSamePads(Window& window, const Shape& x) {
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    int64_t extent = x[i + 2], stride = window.strides[i];
    int64_t out = (extent + stride - 1) / stride;
    int64_t total = std::max<int64_t>(0, (out - 1) * stride + KernelSpan(window, i) - extent);
    if (extent == 0) return Malformed("an empty axis cannot be padded to the same length");
    if (total > INT32_MAX) return Malformed("the window is too large to pad for");
    bool upper = window.auto_pad == AutoPad::kSameUpper;
    window.pads_begin[i] = upper ? total / 2 : total - total / 2;
    window.pads_end[i] = total - window.pads_begin[i];
  }
  window.auto_pad = AutoPad::kExplicit;
  return {};
}

// SlideExtents appends to `out` how many places a window with explicit pads has along each axis.
Status SlideExtents(const Window& window, const Shape& x, bool ceil_mode, Shape& out) {
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    int64_t stride = window.strides[i];
    int64_t slack = x[i + 2] + window.pads_begin[i] + window.pads_end[i] - KernelSpan(window, i);
    if (slack < 0)
      return Malformed("the window is larger than the padded input " + ShapeString(x) + " on axis " +
                       std::to_string(i + 2));
    int64_t extent = (ceil_mode ? slack + stride - 1 : slack) / stride + 1;
    // A place that would start in the padding behind the input is left out.
    if (ceil_mode && (extent - 1) * stride >= x[i + 2] + window.pads_begin[i]) --extent;
    out.push_back(extent);
  }
  return {};
}

// CheckConvOperands checks the weight [*, *, kernel...] and bias [m] against x.
Status CheckConvOperands(const Operands& in, const Window& window, int64_t output_channels) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  TRY(ExpectSameDType(in));
  Shape weight = {in.shape(1)[0], in.shape(1)[1]};
  weight.insert(weight.end(), window.kernel.begin(), window.kernel.end());
  TRY(ExpectShape(in, 1, weight));
  return ExpectShape(in, 2, {output_channels});
}

Status ExpectWeightRank(const Operands& in) {
  if (in.rank(0) < 3 || in.rank(1) != in.rank(0))
    return Malformed("x " + ShapeString(in.shape(0)) + " and weight " + ShapeString(in.shape(1)) + " differ in rank");
  return {};
}

}  // namespace

Result<Window> ResolveWindow(const Conv& op, const Operands& in) {
  TRY(ExpectSpatialRank(in, op.window));
  Window window = op.window;
  if (window.auto_pad != AutoPad::kExplicit) TRY(SetSamePads(window, in.shape(0)));
  return window;
}

Result<Window> ResolveWindow(const Pool& op, const Operands& in) {
  TRY(ExpectSpatialRank(in, op.window));
  Window window = op.window;
  if (window.auto_pad != AutoPad::kExplicit) TRY(SetSamePads(window, in.shape(0)));
  return window;
}

InferredTypes Infer(const Conv& op, const Operands& in) {
  Window window = TRY(ResolveWindow(op, in));
  TRY(ExpectWeightRank(in));
  int64_t channels = in.shape(0)[1], output_channels = in.shape(1)[0];
  TRY(CheckConvOperands(in, window, output_channels));
  if (channels % op.groups != 0 || output_channels % op.groups != 0 || in.shape(1)[1] != channels / op.groups)
    return Malformed("x " + ShapeString(in.shape(0)) + " and weight " + ShapeString(in.shape(1)) + " do not fit " +
                     std::to_string(op.groups) + " groups");
  Shape y = {in.shape(0)[0], output_channels};
  TRY(SlideExtents(window, in.shape(0), false, y));
  TRY(ExpectShape(in, 3, y));
  return std::vector<TensorType>{{in.dtype(0), y}};
}

InferredTypes Infer(const Pool& op, const Operands& in) {
  TRY(ExpectDType(in, 0, op.kind == PoolKind::kMax ? IsNumeric(in.dtype(0)) : IsFloat(in.dtype(0))));
  Window window = TRY(ResolveWindow(op, in));
  bool same = op.window.auto_pad != AutoPad::kExplicit;
  Shape y = {in.shape(0)[0], in.shape(0)[1]};
  TRY(SlideExtents(window, in.shape(0), op.ceil_mode && !same, y));
  return std::vector<TensorType>{{in.dtype(0), y}};
}

namespace {

// FullExtent is the output extent along `axis` before pads are cut off.
Result<int64_t> FullExtent(const ConvTranspose& op, const Shape& x, size_t axis) {
  if (x[axis + 2] < 1) return Malformed("operand 0 is empty: " + ShapeString(x));
  std::optional<int64_t> steps = CheckedMul(x[axis + 2] - 1, op.window.strides[axis]);
  if (!steps || *steps > INT64_MAX / 2) return Malformed("the output is too large");
  std::optional<int64_t> extent = CheckedAdd(*steps, KernelSpan(op.window, axis));
  if (extent) extent = CheckedAdd(*extent, op.output_padding[axis]);
  if (!extent) return Malformed("the output is too large");
  return *extent;
}

// SetOutputExtent chooses the pads, or where those would be negative the output padding, that give `target`.
Status SetOutputExtent(ConvTranspose& op, const Shape& x, size_t axis, int64_t target) {
  int64_t total = TRY(FullExtent(op, x, axis)) - target;
  if (total < 0) {
    op.output_padding[axis] -= total;
    if (op.output_padding[axis] >= std::max(op.window.strides[axis], op.window.dilations[axis]))
      return Malformed("output_shape is larger than any padding makes of " + ShapeString(x));
    total = 0;
  }
  if (total > INT32_MAX) return Malformed("output_shape is too small for " + ShapeString(x));
  bool upper = op.window.auto_pad == AutoPad::kSameUpper;
  op.window.pads_begin[axis] = upper ? total / 2 : total - total / 2;
  op.window.pads_end[axis] = total - op.window.pads_begin[axis];
  return {};
}

}  // namespace

Result<ConvTranspose> ResolveTranspose(const ConvTranspose& op, const Operands& in) {
  TRY(ExpectSpatialRank(in, op.window));
  ConvTranspose resolved = op;
  const Shape& x = in.shape(0);
  for (size_t i = 0; i < op.window.kernel.size(); ++i) {
    if (!op.output_shape.empty()) {
      TRY(SetOutputExtent(resolved, x, i, op.output_shape[i]));
    } else if (op.window.auto_pad != AutoPad::kExplicit) {
      std::optional<int64_t> target = CheckedMul(x[i + 2], op.window.strides[i]);
      if (!target) return Malformed("the output is too large");
      TRY(SetOutputExtent(resolved, x, i, *target));
    }
  }
  resolved.output_shape.clear();
  resolved.window.auto_pad = AutoPad::kExplicit;
  return resolved;
}

InferredTypes Infer(const ConvTranspose& op, const Operands& in) {
  ConvTranspose resolved = TRY(ResolveTranspose(op, in));
  TRY(ExpectWeightRank(in));
  const Shape& x = in.shape(0);
  if (in.shape(1)[0] != x[1] || x[1] % op.groups != 0)
    return Malformed("x " + ShapeString(x) + " and weight " + ShapeString(in.shape(1)) + " do not fit " +
                     std::to_string(op.groups) + " groups");
  std::optional<int64_t> output_channels = CheckedMul(in.shape(1)[1], op.groups);
  if (!output_channels) return Malformed("the output is too large");
  TRY(CheckConvOperands(in, op.window, *output_channels));
  Shape y = {x[0], *output_channels};
  for (size_t i = 0; i < op.window.kernel.size(); ++i) {
    int64_t extent = TRY(FullExtent(resolved, x, i)) - resolved.window.pads_begin[i] - resolved.window.pads_end[i];
    if (extent < 1) return Malformed("the pads leave nothing of axis " + std::to_string(i + 2));
    y.push_back(extent);
  }
  return std::vector<TensorType>{{in.dtype(0), y}};
}

}  // namespace soter
