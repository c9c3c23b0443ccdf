#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/checked.h"
#include "common/graph/infer.h"

// Operators that change or make shapes without touching elements, and those that make constants.
namespace soter {
namespace {

std::vector<TensorType> One(DType dtype, Shape shape) { return {TensorType{dtype, std::move(shape)}}; }

Status ExpectRankWithin(size_t rank) {
  if (rank > kMaxRank) return Malformed("rank " + std::to_string(rank) + " exceeds " + std::to_string(kMaxRank));
  return {};
}

}  // namespace

InferredTypes Infer(const Reshape& op, const Operands& in) {
  std::span<const int64_t> wanted = TRY(in.Integers(1));
  TRY(ExpectRankWithin(wanted.size()));
  Shape y(wanted.begin(), wanted.end());
  std::string misfit = ShapeString(in.shape(0)) + " cannot take the shape " + ShapeString(y);
  size_t inferred = y.size();
  for (size_t i = 0; i < y.size(); ++i) {
    if (y[i] == -1 && inferred != y.size()) return Malformed(misfit);
    if (y[i] == -1) inferred = i;
    if (y[i] != 0 || op.allow_zero) continue;
    if (i >= in.shape(0).size()) return Malformed(misfit);
    y[i] = in.shape(0)[i];
  }
  if (inferred != y.size()) y[inferred] = 1;
  Result<int64_t> known = ElementCount(y);
  int64_t count = TRY(ElementCount(in.shape(0)));
  if (!known.ok()) return Malformed(misfit);
  if (inferred != y.size()) {
    if (*known == 0 || count % *known != 0) return Malformed(misfit);
    y[inferred] = count / *known;
  } else if (*known != count) {
    return Malformed(misfit);
  }
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Flatten& op, const Operands& in) {
  int64_t rank = in.rank(0);
  int64_t axis = op.axis == rank ? rank : TRY(ResolveAxis(op.axis, rank));
  const Shape& x = in.shape(0);
  int64_t outer = TRY(ElementCount(Shape(x.begin(), x.begin() + axis)));
  int64_t inner = TRY(ElementCount(Shape(x.begin() + axis, x.end())));
  return One(in.dtype(0), {outer, inner});
}

InferredTypes Infer(const Squeeze&, const Operands& in) {
  const Shape& x = in.shape(0);
  std::vector<bool> drop(x.size(), false);
  if (in.has(1)) {
    std::span<const int64_t> axes = TRY(in.Integers(1));
    for (int64_t axis : TRY(ResolveAxes(axes, in.rank(0)))) {
      if (x[axis] != 1) return Malformed("axis " + std::to_string(axis) + " of " + ShapeString(x) + " is not 1");
      drop[axis] = true;
    }
  } else {
    for (size_t i = 0; i < x.size(); ++i) drop[i] = x[i] == 1;
  }
  Shape y;
  for (size_t i = 0; i < x.size(); ++i)
    if (!drop[i]) y.push_back(x[i]);
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Unsqueeze&, const Operands& in) {
  std::span<const int64_t> axes = TRY(in.Integers(1));
  TRY(ExpectRankWithin(axes.size()));
  size_t rank = in.shape(0).size() + axes.size();
  TRY(ExpectRankWithin(rank));
  Shape y(rank, -1);
  for (int64_t axis : TRY(ResolveAxes(axes, static_cast<int64_t>(rank)))) y[axis] = 1;
  auto next = in.shape(0).begin();
  for (int64_t& extent : y)
    if (extent < 0) extent = *next++;
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Transpose& op, const Operands& in) {
  const Shape& x = in.shape(0);
  if (op.perm.empty()) return One(in.dtype(0), Shape(x.rbegin(), x.rend()));
  if (op.perm.size() != x.size())
    return Malformed("perm has " + std::to_string(op.perm.size()) + " entries for " + ShapeString(x));
  Shape y;
  for (int64_t axis : op.perm) y.push_back(x[axis]);
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Concat& op, const Operands& in) {
  TRY(ExpectSameDType(in));
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0)));
  Shape y = in.shape(0);
  for (size_t i = 1; i < in.size(); ++i) {
    Shape other = in.shape(i);
    std::optional<int64_t> extent;
    if (other.size() == y.size()) extent = CheckedAdd(y[axis], std::exchange(other[axis], y[axis]));
    if (!extent || other != y)
      return Malformed(ShapeString(in.shape(0)) + " and " + ShapeString(in.shape(i)) + " do not concatenate");
    y[axis] = *extent;
  }
  return One(in.dtype(0), y);
}

InferredTypes Infer(const Split& op, const Operands& in) {
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0)));
  int64_t left = in.shape(0)[axis], parts = static_cast<int64_t>(in.output_count());
  std::string misfit = ShapeString(in.shape(0)) + " does not split into these " + std::to_string(parts) + " parts";
  std::span<const int64_t> sizes;
  if (in.has(1)) {
    sizes = TRY(in.Integers(1));
    if (static_cast<int64_t>(sizes.size()) != parts) return Malformed(misfit);
  }
  int64_t even = left / parts + (left % parts != 0);
  std::vector<TensorType> types(parts, in.type(0));
  for (int64_t i = 0; i < parts; ++i) {
    int64_t size = in.has(1) ? sizes[i] : (i + 1 < parts ? even : left);
    if (size < 0 || size > left) return Malformed(misfit);
    types[i].shape[axis] = size;
    left -= size;
  }
  if (left != 0) return Malformed(misfit);
  return types;
}

InferredTypes Infer(const ShapeOf& op, const Operands& in) {
  int64_t rank = in.rank(0);
  auto clamp = [&](int64_t end) { return std::clamp<int64_t>(end < 0 ? end + rank : end, 0, rank); };
  return One(DType::kInt64, {std::max<int64_t>(0, clamp(op.end) - clamp(op.start))});
}

InferredTypes Infer(const Fill&, const Operands& in) {
  std::span<const int64_t> shape = TRY(in.Integers(0));
  TRY(ExpectRankWithin(shape.size()));
  if (TRY(ElementCount(in.shape(1))) != 1)
    return Malformed("the value must be one element, not " + TypeString(in.type(1)));
  return One(in.dtype(1), Shape(shape.begin(), shape.end()));
}

namespace {

// RangeCount is ceil((limit - start) / delta), in exact arithmetic for integers.
Result<int64_t> RangeCount(const Operands& in) {
  Error too_long = Exhausted("Range makes more than " + std::to_string(kMaxFoldedElements) + " elements");
  auto count_of = [&](auto start, auto limit, auto delta) -> Result<int64_t> {
    if (delta == 0) return Malformed("Range's delta is zero");
    if ((delta > 0) != (limit > start) || limit == start) return 0;
    auto count = (limit - start) / delta;
    if (!(count <= kMaxFoldedElements)) return too_long;
    int64_t whole = static_cast<int64_t>(count);
    return whole + (start + whole * delta != limit ? 1 : 0);
  };
  switch (in.dtype(0)) {
    case DType::kInt64: {
      auto value = [&](size_t i) { return static_cast<__int128>(in.constant(i)->As<int64_t>()[0]); };
      return count_of(value(0), value(1), value(2));
    }
    case DType::kInt32: {
      auto value = [&](size_t i) { return static_cast<__int128>(in.constant(i)->As<int32_t>()[0]); };
      return count_of(value(0), value(1), value(2));
    }
    case DType::kFloat32: {
      double start = in.constant(0)->As<float>()[0], limit = in.constant(1)->As<float>()[0];
      double count = std::ceil((limit - start) / in.constant(2)->As<float>()[0]);
      if (std::isnan(count)) return Malformed("Range's operands are not numbers");
      if (count > kMaxFoldedElements) return too_long;
      return static_cast<int64_t>(std::max(count, 0.0));
    }
    default: return Unsupported(std::string("Range of ") + DTypeName(in.dtype(0)));
  }
}

}  // namespace

InferredTypes Infer(const Range&, const Operands& in) {
  TRY(ExpectSameDType(in));
  for (size_t i = 0; i < 3; ++i) {
    if (TRY(ElementCount(in.shape(i))) != 1) return Malformed("operand " + std::to_string(i) + " is no scalar");
    if (in.constant(i) == nullptr)
      return Unsupported("operand " + std::to_string(i) + " depends on data; it must follow from shapes alone");
  }
  return One(in.dtype(0), {TRY(RangeCount(in))});
}

}  // namespace soter
