#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/compute/layout.h"
#include "common/compute/lower.h"

// CumSum, TopK, GatherNd and Scatter: operators that order or address elements.
namespace soter::compute {

namespace {

// Lines are the one-dimensional slices of a dense tensor along one axis.
struct Lines {
  int64_t outer, extent, inner;
  int64_t count() const { return outer * inner; }
  int64_t Base(int64_t line) const { return line / inner * extent * inner + line % inner; }
};

Lines LinesOf(const Shape& shape, size_t axis) {
  return {Product(shape, 0, axis), shape[axis], Product(shape, axis + 1, shape.size())};
}

template <typename T, typename Sum>
std::unique_ptr<Kernel> CumSumKernel(const Lines& lines, const CumSum& op) {
  return MakeKernel([lines, op](const Arguments& a) {
    for (int64_t line = 0; line < lines.count(); ++line) {
      Sum sum = 0;
      for (int64_t i = 0; i < lines.extent; ++i) {
        int64_t at = lines.Base(line) + (op.reverse ? lines.extent - 1 - i : i) * lines.inner;
        Sum before = sum;
        sum += static_cast<Sum>(a.In<T>(0)[at]);
        a.Out<T>(0)[at] = static_cast<T>(op.exclusive ? before : sum);
      }
    }
  });
}

// A NaN counts as greater than every number, so that there is an order.
template <typename T>
bool IsLess(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(b) ? !std::isnan(a) : a < b;
  else return a < b;
}

template <typename T>
std::unique_ptr<Kernel> TopKKernel(const Lines& lines, int64_t k, bool largest) {
  return MakeKernel([=](const Arguments& a) {
    int64_t* order = reinterpret_cast<int64_t*>(a.scratch);
    for (int64_t line = 0; line < lines.count(); ++line) {
      const T* x = a.In<T>(0) + lines.Base(line);
      auto value = [&](int64_t i) { return x[i * lines.inner]; };
      for (int64_t i = 0; i < lines.extent; ++i) order[i] = i;
      std::partial_sort(order, order + k, order + lines.extent, [&](int64_t i, int64_t j) {
        if (IsLess(value(i), value(j))) return !largest;
        if (IsLess(value(j), value(i))) return largest;
        return i < j;
      });
      int64_t base = line / lines.inner * k * lines.inner + line % lines.inner;
      for (int64_t i = 0; i < k; ++i) {
        a.Out<T>(0)[base + i * lines.inner] = value(order[i]);
        a.Out<int64_t>(1)[base + i * lines.inner] = order[i];
      }
    }
  });
}

// ReadIndex returns index `i` of an operand of int64 or int32, counted from the end when negative; -1 when outside.
int64_t ReadIndex(const std::byte* indices, bool wide, int64_t i, int64_t extent) {
  int64_t index = wide ? reinterpret_cast<const int64_t*>(indices)[i] : reinterpret_cast<const int32_t*>(indices)[i];
  if (index < 0) index += extent;
  return index >= 0 && index < extent ? index : -1;
}

// NamedSlices finds the slice of a tensor that each tuple of indices [count, depth] names.
struct NamedSlices {
  Shape extents;  // of the axes that a tuple names
  Shape strides;  // of those, in slices
  bool wide;

  int64_t Find(const std::byte* indices, int64_t tuple) const {
    int64_t offset = 0, depth = static_cast<int64_t>(extents.size());
    for (int64_t d = 0; d < depth; ++d) {
      int64_t index = ReadIndex(indices, wide, tuple * depth + d, extents[static_cast<size_t>(d)]);
      if (index < 0) return -1;
      offset += index * strides[static_cast<size_t>(d)];
    }
    return offset;
  }
};

NamedSlices SlicesOf(const Shape& data, const TensorType& indices, size_t batch) {
  size_t depth = static_cast<size_t>(indices.shape.back());
  auto first = data.begin() + static_cast<std::ptrdiff_t>(batch);
  Shape extents(first, first + static_cast<std::ptrdiff_t>(depth));
  return {extents, DenseStrides(extents), indices.dtype == DType::kInt64};
}

Status OutOfRange() { return InvalidArgument("an index is outside its axis"); }

template <typename T>
void Fold(ScatterReduction reduction, T update, T& y) {
  // Integers wrap around: signed overflow is undefined, so they are added as unsigned.
  using W = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;
  switch (reduction) {
    case ScatterReduction::kNone: y = update; break;
    case ScatterReduction::kAdd: y = static_cast<T>(static_cast<W>(y) + static_cast<W>(update)); break;
    case ScatterReduction::kMul: y = static_cast<T>(static_cast<W>(y) * static_cast<W>(update)); break;
    case ScatterReduction::kMax: y = std::max(y, update); break;
    case ScatterReduction::kMin: y = std::min(y, update); break;
  }
}

// FoldKernel copies data, then folds update i in at target(i), which is negative where an index is out of range.
template <typename T, typename Target>
std::unique_ptr<Kernel> FoldKernel(size_t data_bytes, int64_t updates, ScatterReduction reduction, Target target) {
  return MakeKernel([=](const Arguments& a) -> Status {
    std::memcpy(a.outputs[0], a.inputs[0], data_bytes);
    for (int64_t i = 0; i < updates; ++i) {
      int64_t at = target(a.inputs[1], i);
      if (at < 0) return OutOfRange();
      Fold(reduction, a.In<T>(2)[i], a.Out<T>(0)[at]);
    }
    return {};
  });
}

template <typename T>
std::unique_ptr<Kernel> ScatterKernel(const UnitContext& u, const Scatter& op) {
  const Shape& data = u.InShape(0);
  size_t bytes = static_cast<size_t>(Product(data)) * sizeof(T);
  int64_t updates = Product(u.InShape(2));
  if (!op.elements) {
    NamedSlices slices = SlicesOf(data, u.InType(1), 0);
    int64_t slice = Product(data, slices.extents.size(), data.size());
    return FoldKernel<T>(bytes, updates, op.reduction, [=](const std::byte* indices, int64_t i) {
      int64_t found = slices.Find(indices, i / slice);
      return found < 0 ? found : found * slice + i % slice;
    });
  }
  size_t axis = NormalAxis(op.axis, data.size());
  Shape index_shape = u.InShape(1), strides = DenseStrides(data);
  bool wide = u.InType(1).dtype == DType::kInt64;
  return FoldKernel<T>(bytes, updates, op.reduction, [=](const std::byte* indices, int64_t i) {
    int64_t at = ReadIndex(indices, wide, i, data[axis]);
    if (at < 0) return at;
    at *= strides[axis];
    for (size_t d = index_shape.size(), rest = static_cast<size_t>(i); d-- > 0;) {
      size_t extent = static_cast<size_t>(index_shape[d]);
      if (d != axis) at += static_cast<int64_t>(rest % extent) * strides[d];
      rest /= extent;
    }
    return at;
  });
}

// Without a reduction only the size of an element counts.
std::unique_ptr<Kernel> MakeScatter(const UnitContext& u, const Scatter& op) {
  DType dtype = u.InType(0).dtype;
  if (dtype == DType::kFloat32) return ScatterKernel<float>(u, op);
  if (dtype == DType::kInt64) return ScatterKernel<int64_t>(u, op);
  if (dtype == DType::kInt32) return ScatterKernel<int32_t>(u, op);
  if (DTypeBytes(dtype) == 1 && op.reduction == ScatterReduction::kNone) return ScatterKernel<uint8_t>(u, op);
  return nullptr;
}

Error NoKernel(const UnitContext& u) { return Unsupported(std::string("type ") + DTypeName(u.InType(0).dtype)); }

}  // namespace

Status Lower(const UnitContext& u, const CumSum& op) {
  const Shape& shape = u.InShape(0);
  Lines lines = LinesOf(shape, NormalAxis(TRY(u.builder.Integers(u.In(1)))[0], shape.size()));
  std::unique_ptr<Kernel> kernel;
  if (u.InType(0).dtype == DType::kFloat32) kernel = CumSumKernel<float, double>(lines, op);
  if (u.InType(0).dtype == DType::kInt64) kernel = CumSumKernel<int64_t, uint64_t>(lines, op);
  if (u.InType(0).dtype == DType::kInt32) kernel = CumSumKernel<int32_t, uint32_t>(lines, op);
  if (kernel == nullptr) return NoKernel(u);
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const TopK& op) {
  const Shape& shape = u.InShape(0);
  Lines lines = LinesOf(shape, NormalAxis(op.axis, shape.size()));
  int64_t k = TRY(u.builder.Integers(u.In(1)))[0];
  std::unique_ptr<Kernel> kernel;
  if (u.InType(0).dtype == DType::kFloat32) kernel = TopKKernel<float>(lines, k, op.largest);
  if (u.InType(0).dtype == DType::kInt64) kernel = TopKKernel<int64_t>(lines, k, op.largest);
  if (u.InType(0).dtype == DType::kInt32) kernel = TopKKernel<int32_t>(lines, k, op.largest);
  if (kernel == nullptr) return NoKernel(u);
  size_t scratch_bytes = static_cast<size_t>(lines.extent) * sizeof(int64_t);
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, {{u.node.outputs[0]}, {u.node.outputs[1]}},
                        {.scratch_bytes = scratch_bytes});
}

Status Lower(const UnitContext& u, const GatherNd& op) {
  const Shape& data = u.InShape(0);
  size_t batch = static_cast<size_t>(op.batch_dims), depth = static_cast<size_t>(u.InShape(1).back());
  NamedSlices slices = SlicesOf(data, u.InType(1), batch);
  int64_t batches = Product(data, 0, batch), slices_per_batch = Product(data, batch, batch + depth);
  int64_t slice_bytes =
      Product(data, batch + depth, data.size()) * static_cast<int64_t>(DTypeBytes(u.InType(0).dtype));
  int64_t tuples = Product(u.InShape(1), batch, u.InShape(1).size() - 1);
  auto kernel = MakeKernel([=](const Arguments& a) -> Status {
    for (int64_t i = 0; i < batches * tuples; ++i) {
      int64_t found = slices.Find(a.inputs[1], i);
      if (found < 0) return OutOfRange();
      const std::byte* source = a.inputs[0] + (i / tuples * slices_per_batch + found) * slice_bytes;
      std::memcpy(a.outputs[0] + i * slice_bytes, source, static_cast<size_t>(slice_bytes));
    }
    return {};
  });
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const Scatter& op) {
  std::unique_ptr<Kernel> kernel = MakeScatter(u, op);
  if (kernel == nullptr) return NoKernel(u);
  std::vector<BufferId> inputs;
  for (size_t i = 0; i < 3; ++i) inputs.push_back(TRY(u.builder.Read(u.In(i))));
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out()}});
}

}  // namespace soter::compute
