#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/base/checked.h"
#include "common/graph/infer.h"

// Operators that pick, repeat or rearrange elements.
namespace soter {
namespace {

std::vector<TensorType> One(DType dtype, Shape shape) { return {TensorType{dtype, std::move(shape)}}; }

// ResolveRange applies ONNX's rules for start and end to an axis of `extent` elements.
SliceRange ResolveRange(int64_t start, int64_t end, int64_t step, int64_t extent) {
  int64_t most = step > 0 ? extent : extent - 1;
  start = std::clamp<int64_t>(start < 0 ? start + extent : start, 0, std::max<int64_t>(most, 0));
  end = std::clamp<int64_t>(end < 0 ? end + extent : end, step > 0 ? 0 : -1, most);
  int64_t distance = step > 0 ? end - start : start - end;
  // Steps beyond the extent take one element; clamped, their magnitude can be negated and added.
  int64_t stride = std::clamp<int64_t>(step, -extent - 1, extent + 1);
  int64_t magnitude = stride > 0 ? stride : -stride;
  int64_t count = distance <= 0 || extent == 0 ? 0 : (distance + magnitude - 1) / magnitude;
  return {start, stride, count};
}

}  // namespace

Result<std::vector<SliceRange>> ResolveSlice(const Operands& in) {
  const Shape& x = in.shape(0);
  std::span<const int64_t> starts = TRY(in.Integers(1)), ends = TRY(in.Integers(2)), axes_operand, steps;
  if (in.has(3)) axes_operand = TRY(in.Integers(3));
  if (in.has(4)) steps = TRY(in.Integers(4));
  size_t count = starts.size();
  if (count > x.size() || ends.size() != count || (in.has(3) && axes_operand.size() != count) ||
      (in.has(4) && steps.size() != count))
    return Malformed("starts, ends, axes and steps differ in length or exceed the rank of " + ShapeString(x));
  std::vector<int64_t> axes;
  if (in.has(3)) axes = TRY(ResolveAxes(axes_operand, in.rank(0)));
  std::vector<SliceRange> ranges;
  for (int64_t extent : x) ranges.push_back({0, 1, extent});
  for (size_t i = 0; i < count; ++i) {
    int64_t step = steps.empty() ? 1 : steps[i];
    if (step == 0) return Malformed("a step is zero");
    size_t axis = axes.empty() ? i : static_cast<size_t>(axes[i]);
    ranges[axis] = ResolveRange(starts[i], ends[i], step, x[axis]);
  }
  return ranges;
}

InferredTypes Infer(const Slice&, const Operands& in) {
  Shape y;
  for (const SliceRange& range : TRY(ResolveSlice(in))) y.push_back(range.count);
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Pad& op, const Operands& in) {
  std::span<const int64_t> pads = TRY(in.Integers(1));
  if (in.has(2) && (in.dtype(2) != in.dtype(0) || TRY(ElementCount(in.shape(2))) != 1))
    return Malformed("the value must be one " + std::string(DTypeName(in.dtype(0))) + ", not " +
                     TypeString(in.type(2)));
  std::vector<int64_t> axes(in.rank(0));
  std::iota(axes.begin(), axes.end(), 0);
  if (in.has(3)) {
    std::span<const int64_t> named = TRY(in.Integers(3));
    axes = TRY(ResolveAxes(named, in.rank(0)));
  }
  if (pads.size() != 2 * axes.size())
    return Malformed(std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
  Shape y = in.shape(0);
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t& extent = y[axes[i]];
    int64_t begin = pads[i], end = pads[i + axes.size()];
    int64_t most = op.mode == PadMode::kReflect ? extent - 1
                   : op.mode == PadMode::kWrap || (op.mode == PadMode::kEdge && extent == 0) ? extent : INT64_MAX;
    std::optional<int64_t> sum = CheckedAdd(begin, end);
    if (sum) sum = CheckedAdd(*sum, extent);
    if (begin > most || end > most || begin < -extent || end < -extent || !sum || *sum < 0)
      return Malformed("pads " + std::to_string(begin) + " and " + std::to_string(end) + " do not fit " +
                       ShapeString(in.shape(0)));
    extent = *sum;
  }
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Gather& op, const Operands& in) {
  const Shape& data = in.shape(0);
  const Shape& indices = in.shape(1);
  TRY(ExpectDType(in, 1, in.dtype(1) == DType::kInt64 || in.dtype(1) == DType::kInt32));
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0)));
  if (op.elements) {
    bool fits = indices.size() == data.size();
    for (size_t i = 0; fits && i < data.size(); ++i)
      fits = static_cast<int64_t>(i) == axis || indices[i] <= data[i];
    if (!fits) return Malformed("indices " + ShapeString(indices) + " do not fit " + ShapeString(data));
    return One(in.dtype(0), indices);
  }
  Shape y(data.begin(), data.begin() + axis);
  y.insert(y.end(), indices.begin(), indices.end());
  y.insert(y.end(), data.begin() + axis + 1, data.end());
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Expand&, const Operands& in) {
  std::span<const int64_t> wanted = TRY(in.Integers(1));
  if (wanted.size() > kMaxRank) return Malformed("the shape has too many axes");
  Shape shape(wanted.begin(), wanted.end());
  TRY(ElementCount(shape));
  return One(in.dtype(0), TRY(BroadcastShapes(in.shape(0), shape)));
}

InferredTypes Infer(const Tile&, const Operands& in) {
  std::span<const int64_t> repeats = TRY(in.Integers(1));
  Shape y = in.shape(0);
  if (repeats.size() != y.size())
    return Malformed(std::to_string(repeats.size()) + " repeats for " + ShapeString(y));
  for (size_t i = 0; i < y.size(); ++i) {
    std::optional<int64_t> extent = CheckedMul(y[i], repeats[i]);
    if (repeats[i] < 0 || !extent)
      return Malformed("repeat " + std::to_string(repeats[i]) + " of " + ShapeString(in.shape(0)));
    y[i] = *extent;
  }
  return One(in.dtype(0), y);
}

namespace {

// ScaledExtent is floor(extent * scale), in float32 like the exporters of such scales compute it.
Result<int64_t> ScaledExtent(int64_t extent, float scale) {
  float scaled = std::floor(static_cast<float>(extent) * scale);
  if (!(scale > 0) || !(scaled < 0x1p48f)) return Malformed("scale " + std::to_string(scale) + " is out of range");
  return static_cast<int64_t>(scaled);
}

}  // namespace

InferredTypes Infer(const Resize&, const Operands& in) {
  TRY(ExpectDType(in, 0, IsNumeric(in.dtype(0))));
  size_t which = in.has(1) ? 1 : 2;
  if (in.shape(which) != Shape{in.rank(0)})
    return Malformed("operand " + std::to_string(which) + " needs one entry per axis of " + ShapeString(in.shape(0)));
  Shape y = in.shape(0);
  if (which == 2) {
    std::span<const int64_t> sizes = TRY(in.Integers(2));
    y.assign(sizes.begin(), sizes.end());
  } else {
    TRY(ExpectDType(in, 1, in.dtype(1) == DType::kFloat32));
    if (in.constant(1) == nullptr)
      return Unsupported("operand 1 depends on data; it must follow from shapes alone");
    for (size_t i = 0; i < y.size(); ++i) y[i] = TRY(ScaledExtent(y[i], in.constant(1)->As<float>()[i]));
  }
  for (size_t i = 0; i < y.size(); ++i)
    if (in.shape(0)[i] == 0 && y[i] != 0) return Malformed("an empty axis cannot be resized");
  return One(in.dtype(0), y);
}

InferredTypes Infer(const DepthToSpace& op, const Operands& in) {
  Shape y = in.shape(0);
  int64_t block = op.block;
  std::string misfit = ShapeString(y) + " does not fit blocks of " + std::to_string(block);
  if (y.size() != 4) return Malformed(misfit);
  int64_t area = block * block;  // at most 2^62: see CheckNode
  if (op.inverse ? (y[2] % block != 0 || y[3] % block != 0) : y[1] % area != 0) return Malformed(misfit);
  std::optional<int64_t> channels = op.inverse ? CheckedMul(y[1], area) : y[1] / area;
  std::optional<int64_t> height = op.inverse ? y[2] / block : CheckedMul(y[2], block);
  std::optional<int64_t> width = op.inverse ? y[3] / block : CheckedMul(y[3], block);
  if (!channels || !height || !width) return Malformed(misfit);
  return One(in.dtype(0), {y[0], *channels, *height, *width});
}

}  // namespace soter
