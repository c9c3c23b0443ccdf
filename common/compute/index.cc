#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"
#include "common/compute/strided.h"

// Operators that choose elements by index, change their type or make them: Pad, Gather, Trilu, Cast, Fill, ShapeOf.
namespace soter::compute {

namespace {

// PadIndex is the source index along an axis of `extent` for position `at` (negative: before the begin), or -1.
int64_t PadIndex(PadMode mode, int64_t at, int64_t extent) {
  if (at >= 0 && at < extent) return at;
  switch (mode) {
    case PadMode::kConstant: return -1;
    case PadMode::kEdge: return at < 0 ? 0 : extent - 1;
    case PadMode::kWrap: return ((at % extent) + extent) % extent;
    case PadMode::kReflect: {
      if (extent == 1) return 0;
      int64_t period = 2 * (extent - 1);
      int64_t folded = ((at % period) + period) % period;
      return folded < extent ? folded : period - folded;
    }
  }
  return -1;
}

// PadPlan maps every output axis to source offsets (already times the stride); -1 is the constant.
struct PadPlan {
  Shape extents;
  std::vector<std::vector<int64_t>> offsets;
  size_t element_bytes;
  std::array<std::byte, kMaxDTypeBytes> value;

  template <typename T>
  void Fill(const std::byte* source, std::byte* target) const {
    T constant;
    std::memcpy(&constant, value.data(), sizeof(T));
    const T* x = reinterpret_cast<const T*>(source);
    T* y = reinterpret_cast<T*>(target);
    const std::vector<int64_t>& inner = offsets.back();
    int64_t columns = extents.back(), rows = Product(extents) / columns;
#pragma omp parallel for schedule(static) if (rows > 64)
    for (int64_t row = 0; row < rows; ++row) {
      int64_t base = 0, rest = row;
      for (size_t d = extents.size() - 1; d-- > 0;) {
        int64_t offset = offsets[d][static_cast<size_t>(rest % extents[d])];
        rest /= extents[d];
        base = offset < 0 || base < 0 ? -1 : base + offset;
      }
      for (int64_t j = 0; j < columns; ++j)
        y[row * columns + j] =
            base < 0 || inner[static_cast<size_t>(j)] < 0 ? constant : x[base + inner[static_cast<size_t>(j)]];
    }
  }

  void operator()(const Arguments& a) const {
    switch (element_bytes) {
      case 1: return Fill<uint8_t>(a.inputs[0], a.outputs[0]);
      case 2: return Fill<uint16_t>(a.inputs[0], a.outputs[0]);
      case 4: return Fill<uint32_t>(a.inputs[0], a.outputs[0]);
      default: return Fill<uint64_t>(a.inputs[0], a.outputs[0]);
    }
  }
};

// GatherPlan copies slices of data [outer, axis, inner_bytes] chosen by `count` indices.
template <typename Index>
std::unique_ptr<Kernel> GatherKernel(int64_t outer, int64_t extent, int64_t inner_bytes, int64_t count) {
  return MakeKernel([=](const Arguments& a) -> Status {
    const Index* indices = a.In<Index>(1);
    for (int64_t i = 0; i < count; ++i) {
      if (indices[i] < -extent || indices[i] >= extent) return InvalidArgument("a Gather index is out of range");
    }
#pragma omp parallel for schedule(static) collapse(2) if (outer * count * inner_bytes > (1 << 16))
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < count; ++i) {
        int64_t index = indices[i] < 0 ? indices[i] + extent : indices[i];
        std::memcpy(a.outputs[0] + (o * count + i) * inner_bytes, a.inputs[0] + (o * extent + index) * inner_bytes,
                    static_cast<size_t>(inner_bytes));
      }
    }
    return {};
  });
}

// GatherElements: y[i][j][k] = data[indices[i][j][k]][j][k] for axis 0. `indices` has the shape of y.
template <typename Index>
std::unique_ptr<Kernel> GatherElementsKernel(const Shape& data, const Shape& shape, size_t axis,
                                             size_t element_bytes) {
  Shape strides = DenseStrides(data);
  int64_t extent = data[axis], step = strides[axis];
  strides[axis] = 0;
  Strided walk{.extents = shape, .strides = {strides}, .offsets = {0}};
  return MakeKernel([=](const Arguments& a) -> Status {
    const Index* indices = a.In<Index>(1);
    int64_t count = Product(walk.extents);
    for (int64_t i = 0; i < count; ++i) {
      if (indices[i] < -extent || indices[i] >= extent) return InvalidArgument("a Gather index is out of range");
      int64_t index = indices[i] < 0 ? indices[i] + extent : indices[i];
      int64_t at = RowOffsets<1>(walk, 0, i)[0] + index * step;
      std::memcpy(a.outputs[0] + static_cast<size_t>(i) * element_bytes,
                  a.inputs[0] + static_cast<size_t>(at) * element_bytes, element_bytes);
    }
    return {};
  });
}

// Saturated converts like C where C defines it, and to the nearest representable integer where it does not (NaN: 0).
template <typename X, typename Y>
Y Saturated(X x) {
  if constexpr (std::is_floating_point_v<X> && std::is_integral_v<Y>) {
    constexpr double kLow = static_cast<double>(std::numeric_limits<Y>::min());
    constexpr double kHigh = static_cast<double>(std::numeric_limits<Y>::max());
    double wide = static_cast<double>(x);
    if (std::isnan(wide)) return 0;
    if (wide <= kLow) return std::numeric_limits<Y>::min();
    if (wide >= kHigh) return std::numeric_limits<Y>::max();
  }
  return static_cast<Y>(x);
}

template <typename X, typename Y>
std::unique_ptr<Kernel> CastKernel(int64_t count, bool to_bool) {
  return MakeKernel([count, to_bool](const Arguments& a) {
    const X* x = a.In<X>(0);
    Y* y = a.Out<Y>(0);
    for (int64_t i = 0; i < count; ++i) y[i] = to_bool ? static_cast<Y>(x[i] != X{0}) : Saturated<X, Y>(x[i]);
  });
}

template <typename X>
std::unique_ptr<Kernel> CastFrom(DType to, int64_t count) {
  switch (to) {
    case DType::kFloat32: return CastKernel<X, float>(count, false);
    case DType::kFloat64: return CastKernel<X, double>(count, false);
    case DType::kInt8: return CastKernel<X, int8_t>(count, false);
    case DType::kUint8: return CastKernel<X, uint8_t>(count, false);
    case DType::kInt32: return CastKernel<X, int32_t>(count, false);
    case DType::kInt64: return CastKernel<X, int64_t>(count, false);
    case DType::kBool: return CastKernel<X, uint8_t>(count, true);
    case DType::kFloat16: return nullptr;
  }
  return nullptr;
}

std::unique_ptr<Kernel> MakeCast(DType from, DType to, int64_t count) {
  switch (from) {
    case DType::kFloat32: return CastFrom<float>(to, count);
    case DType::kFloat64: return CastFrom<double>(to, count);
    case DType::kInt8: return CastFrom<int8_t>(to, count);
    case DType::kUint8: case DType::kBool: return CastFrom<uint8_t>(to, count);
    case DType::kInt32: return CastFrom<int32_t>(to, count);
    case DType::kInt64: return CastFrom<int64_t>(to, count);
    case DType::kFloat16: return nullptr;
  }
  return nullptr;
}

}  // namespace

Status Lower(const UnitContext& u, const Pad& op) {
  const Shape& shape = u.InShape(0);
  std::vector<int64_t> pads = TRY(u.builder.Integers(u.In(1)));
  std::vector<int64_t> begins(shape.size());
  std::vector<int64_t> axes(pads.size() / 2);
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  if (u.Has(3)) axes = TRY(u.builder.Integers(u.In(3)));
  for (size_t i = 0; i < axes.size(); ++i) begins[NormalAxis(axes[i], shape.size())] = pads[i];

  PadPlan plan{.extents = u.OutShape(), .element_bytes = DTypeBytes(u.OutType().dtype), .value = {}};
  if (u.Has(2)) {
    const Tensor* value = TRY(u.builder.Constant(u.In(2)));
    std::memcpy(plan.value.data(), value->bytes().data(), plan.element_bytes);
  }
  Shape strides = DenseStrides(shape);
  for (size_t d = 0; d < shape.size(); ++d) {
    plan.offsets.emplace_back();
    for (int64_t at = 0; at < plan.extents[d]; ++at) {
      int64_t index = PadIndex(op.mode, at - begins[d], shape[d]);
      plan.offsets.back().push_back(index < 0 ? -1 : index * strides[d]);
    }
  }
  if (shape.empty()) return u.builder.Alias(u.Out(), TRY(u.builder.Read(u.In(0))), Layout::kDense);
  return u.builder.Emit(MakeKernel(std::move(plan)), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const Gather& op) {
  const Shape& data = u.InShape(0);
  size_t axis = NormalAxis(op.axis, data.size());
  size_t element_bytes = DTypeBytes(u.InType(0).dtype);
  bool wide = u.InType(1).dtype == DType::kInt64;
  if (!wide && u.InType(1).dtype != DType::kInt32)
    return Unsupported(std::string("indices of type ") + DTypeName(u.InType(1).dtype));
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1)))};
  std::unique_ptr<Kernel> kernel;
  if (op.elements) {
    kernel = wide ? GatherElementsKernel<int64_t>(data, u.OutShape(), axis, element_bytes)
                  : GatherElementsKernel<int32_t>(data, u.OutShape(), axis, element_bytes);
  } else {
    int64_t outer = Product(data, 0, axis), count = Product(u.InShape(1));
    int64_t inner_bytes = Product(data, axis + 1, data.size()) * static_cast<int64_t>(element_bytes);
    kernel = wide ? GatherKernel<int64_t>(outer, data[axis], inner_bytes, count)
                  : GatherKernel<int32_t>(outer, data[axis], inner_bytes, count);
  }
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out()}});
}

Status Lower(const UnitContext& u, const Cast& op) {
  BufferId input = TRY(u.builder.Read(u.In(0)));
  if (u.InType(0).dtype == op.to) return u.builder.Alias(u.Out(), input, Layout::kDense);
  std::unique_ptr<Kernel> kernel = MakeCast(u.InType(0).dtype, op.to, Product(u.OutShape()));
  if (kernel == nullptr)
    return Unsupported(std::string("a cast from ") + DTypeName(u.InType(0).dtype) + " to " + DTypeName(op.to));
  return u.builder.Emit(std::move(kernel), {input}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const Trilu& op) {
  int64_t diagonal = u.Has(1) ? TRY(u.builder.Integers(u.In(1)))[0] : 0;
  const Shape& shape = u.OutShape();
  int64_t columns = shape.back(), rows = shape[shape.size() - 2], matrices = Product(shape) / (rows * columns);
  int64_t bytes = static_cast<int64_t>(DTypeBytes(u.OutType().dtype));
  auto kernel = MakeKernel([=, upper = op.upper](const Arguments& a) {
    for (int64_t row = 0; row < matrices * rows; ++row) {
      // Columns [begin, end) stay: from the diagonal on for the upper part, up to it for the lower one.
      int64_t border = std::clamp<int64_t>(row % rows + diagonal + (upper ? 0 : 1), 0, columns);
      int64_t begin = upper ? border : 0, end = upper ? columns : border;
      std::byte* y = a.outputs[0] + row * columns * bytes;
      std::memset(y, 0, static_cast<size_t>(columns * bytes));
      std::memcpy(y + begin * bytes, a.inputs[0] + (row * columns + begin) * bytes,
                  static_cast<size_t>((end - begin) * bytes));
    }
  });
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

Status Lower(const UnitContext& u, const Fill&) {
  size_t bytes = DTypeBytes(u.OutType().dtype);
  std::vector<BufferId> inputs;
  if (u.Has(1)) inputs.push_back(TRY(u.builder.Read(u.In(1))));
  Shape extents = {Product(u.OutShape())};
  if (inputs.empty()) {
    size_t total = static_cast<size_t>(extents[0]) * bytes;
    return u.builder.Emit(MakeKernel([total](const Arguments& a) { std::memset(a.outputs[0], 0, total); }), {},
                          {{u.Out()}});
  }
  return u.builder.Emit(MakeCopyKernel({.extents = extents, .strides = {{1}, {0}}, .offsets = {0, 0}}, bytes),
                        std::move(inputs), {{u.Out()}});
}

Status Lower(const UnitContext& u, const ShapeOf& op) {
  const Shape& shape = u.InShape(0);
  int64_t rank = static_cast<int64_t>(shape.size());
  int64_t start = std::clamp<int64_t>(op.start < 0 ? op.start + rank : op.start, 0, rank);
  Shape extents(shape.begin() + start, shape.begin() + start + Product(u.OutShape()));
  auto kernel =
      MakeKernel([extents](const Arguments& a) { std::copy(extents.begin(), extents.end(), a.Out<int64_t>(0)); });
  return u.builder.Emit(std::move(kernel), {}, {{u.Out()}});
}

Status Lower(const UnitContext&, const Range&) { return Unsupported("the operands of Range must be constants"); }

}  // namespace soter::compute
