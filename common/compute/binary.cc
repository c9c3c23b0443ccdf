#include <cmath>

#include "common/compute/broadcast.h"
#include "common/compute/layout.h"
#include "common/compute/lower.h"

// Binary, ChannelAffine and Where: loops over broadcast tiles. The operator is a template argument, so the loops
// over contiguous floats are vectorised.
namespace soter::compute {

namespace {

// Row computes n elements with strides 0 or 1 where that is the case, which the compiler vectorises.
template <typename X, typename Y, typename F>
void Row(const X* a, int64_t as, const X* b, int64_t bs, Y* y, int64_t n, F f) {
  if (as == 1 && bs == 1) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  } else if (as == 1 && bs == 0) {
    X scalar = *b;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], scalar);
  } else if (as == 0 && bs == 1) {
    X scalar = *a;
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = f(scalar, b[i]);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i * as], b[i * bs]);
  }
}

template <typename X, typename Y, typename F>
std::unique_ptr<Kernel> BinaryKernel(const Strided& walk, F f) {
  return MakeKernel([walk, f](const Arguments& arguments) {
    const X* a = arguments.In<X>(0);
    const X* b = arguments.In<X>(1);
    Y* y = arguments.Out<Y>(0);
    size_t last = walk.extents.size() - 1;
    ForEachTile<3>(walk, [&](const std::array<int64_t, 3>& at) {
      for (int64_t r = 0; r < walk.extents[last - 1]; ++r) {
        Row(a + at[1] + r * walk.strides[1][last - 1], walk.strides[1][last],
            b + at[2] + r * walk.strides[2][last - 1], walk.strides[2][last],
            y + at[0] + r * walk.strides[0][last - 1], walk.extents[last], f);
      }
    });
  });
}

template <typename T>
T FloorMod(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    T r = std::fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
  } else {
    if (b == 0 || b == -1) return 0;
    T r = a % b;
    return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
  }
}

template <typename T>
T TruncMod(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::fmod(a, b);
  else return b == 0 || b == -1 ? 0 : static_cast<T>(a % b);
}

// Divide gives 0 for an integer divided by 0, which ONNX leaves undefined.
template <typename T>
T Divide(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a / b;
  else
    return b == 0    ? T{0}
           : b == -1 ? static_cast<T>(T{0} - static_cast<std::make_unsigned_t<T>>(a))
                     : static_cast<T>(a / b);
}

template <typename T>
T Power(T a, T b) {
  if constexpr (std::is_same_v<T, float>) return std::pow(a, b);
  else return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
}

template <typename T, bool relu>
std::unique_ptr<Kernel> Arithmetic(BinaryKind kind, const Strided& walk) {
  auto make = [&](auto f) {
    return BinaryKernel<T, T>(walk, [f](T a, T b) {
      T y = f(a, b);
      return relu && y < 0 ? T{0} : y;
    });
  };
  // Integers wrap around: signed overflow is undefined, so they are added as unsigned.
  using W = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>, std::type_identity<T>>::type;
  switch (kind) {
    case BinaryKind::kAdd:
      return make([](T a, T b) { return static_cast<T>(static_cast<W>(a) + static_cast<W>(b)); });
    case BinaryKind::kSub:
      return make([](T a, T b) { return static_cast<T>(static_cast<W>(a) - static_cast<W>(b)); });
    case BinaryKind::kMul:
      return make([](T a, T b) { return static_cast<T>(static_cast<W>(a) * static_cast<W>(b)); });
    case BinaryKind::kDiv: return make([](T a, T b) { return Divide(a, b); });
    case BinaryKind::kPow: return make([](T a, T b) { return Power(a, b); });
    case BinaryKind::kMin: return make([](T a, T b) { return b < a ? b : a; });
    case BinaryKind::kMax: return make([](T a, T b) { return a < b ? b : a; });
    case BinaryKind::kMod: return make([](T a, T b) { return FloorMod(a, b); });
    case BinaryKind::kFmod: return make([](T a, T b) { return TruncMod(a, b); });
    case BinaryKind::kPRelu:
      return make([](T a, T b) { return a < 0 ? static_cast<T>(static_cast<W>(a) * static_cast<W>(b)) : a; });
    default: return nullptr;
  }
}

template <typename T>
std::unique_ptr<Kernel> Comparison(BinaryKind kind, const Strided& walk) {
  auto make = [&](auto f) { return BinaryKernel<T, uint8_t>(walk, f); };
  switch (kind) {
    case BinaryKind::kEqual: return make([](T a, T b) -> uint8_t { return a == b; });
    case BinaryKind::kLess: return make([](T a, T b) -> uint8_t { return a < b; });
    case BinaryKind::kLessOrEqual: return make([](T a, T b) -> uint8_t { return a <= b; });
    case BinaryKind::kGreater: return make([](T a, T b) -> uint8_t { return a > b; });
    case BinaryKind::kGreaterOrEqual: return make([](T a, T b) -> uint8_t { return a >= b; });
    default: return nullptr;
  }
}

std::unique_ptr<Kernel> Logic(BinaryKind kind, const Strided& walk) {
  auto make = [&](auto f) { return BinaryKernel<uint8_t, uint8_t>(walk, f); };
  switch (kind) {
    case BinaryKind::kAnd: return make([](uint8_t a, uint8_t b) -> uint8_t { return (a != 0) & (b != 0); });
    case BinaryKind::kOr: return make([](uint8_t a, uint8_t b) -> uint8_t { return (a != 0) | (b != 0); });
    case BinaryKind::kXor: return make([](uint8_t a, uint8_t b) -> uint8_t { return (a != 0) != (b != 0); });
    case BinaryKind::kEqual: return make([](uint8_t a, uint8_t b) -> uint8_t { return (a != 0) == (b != 0); });
    default: return nullptr;
  }
}

template <typename T>
std::unique_ptr<Kernel> Typed(BinaryKind kind, bool relu, const Strided& walk) {
  if (kind >= BinaryKind::kEqual) return Comparison<T>(kind, walk);
  return relu ? Arithmetic<T, true>(kind, walk) : Arithmetic<T, false>(kind, walk);
}

std::unique_ptr<Kernel> MakeBinary(DType dtype, BinaryKind kind, bool relu, const Strided& walk) {
  switch (dtype) {
    case DType::kFloat32: return Typed<float>(kind, relu, walk);
    case DType::kFloat64: return Typed<double>(kind, relu, walk);
    case DType::kInt32: return Typed<int32_t>(kind, relu, walk);
    case DType::kInt64: return Typed<int64_t>(kind, relu, walk);
    case DType::kBool: return Logic(kind, walk);
    default: return nullptr;
  }
}

template <typename T>
std::unique_ptr<Kernel> WhereKernel(const Strided& walk) {
  return MakeKernel([walk](const Arguments& arguments) {
    size_t last = walk.extents.size() - 1;
    ForEachTile<4>(walk, [&](const std::array<int64_t, 4>& at) {
      for (int64_t r = 0; r < walk.extents[last - 1]; ++r) {
        auto start = [&](size_t k) { return at[k] + r * walk.strides[k][last - 1]; };
        const uint8_t* condition = arguments.In<uint8_t>(0) + start(1);
        const T* a = arguments.In<T>(1) + start(2);
        const T* b = arguments.In<T>(2) + start(3);
        T* y = arguments.Out<T>(0) + start(0);
        for (int64_t i = 0; i < walk.extents[last]; ++i) {
          y[i * walk.strides[0][last]] = condition[i * walk.strides[1][last]] ? a[i * walk.strides[2][last]]
                                                                              : b[i * walk.strides[3][last]];
        }
      }
    });
  });
}

// AffineKernel is y = x scale + shift along `walk`, whose scale and shift have the same strides.
template <bool relu>
std::unique_ptr<Kernel> AffineKernel(const Strided& walk) {
  return MakeKernel([walk](const Arguments& arguments) {
    size_t last = walk.extents.size() - 1;
    int64_t rows = walk.extents[last - 1], columns = walk.extents[last], step = walk.strides[2][last];
    ForEachTile<4>(walk, [&](const std::array<int64_t, 4>& at) {
      for (int64_t r = 0; r < rows; ++r) {
        const float* x = arguments.In<float>(0) + at[1] + r * walk.strides[1][last - 1];
        const float* scale = arguments.In<float>(1) + at[2] + r * walk.strides[2][last - 1];
        const float* shift = arguments.In<float>(2) + at[3] + r * walk.strides[3][last - 1];
        float* y = arguments.Out<float>(0) + at[0] + r * walk.strides[0][last - 1];
        auto apply = [&](float v, float s, float t) {
          float sum = v * s + t;
          return relu && sum < 0 ? 0.0f : sum;
        };
        if (step == 0) {
          float s = *scale, t = *shift;
#pragma omp simd
          for (int64_t i = 0; i < columns; ++i) y[i] = apply(x[i], s, t);
        } else {
#pragma omp simd
          for (int64_t i = 0; i < columns; ++i) y[i] = apply(x[i], scale[i], shift[i]);
        }
      }
    });
  });
}

}  // namespace

Status Lower(const UnitContext& u, const Binary& op) {
  std::vector<ValueId> inputs = {u.In(0), u.In(1)};
  Broadcast plan = TRY(PlanBroadcast(u, inputs, u.OutType().dtype == DType::kFloat32));
  std::unique_ptr<Kernel> kernel = MakeBinary(u.InType(0).dtype, op.kind, u.relu(), plan.walk);
  if (kernel == nullptr) return Unsupported(std::string("type ") + DTypeName(u.InType(0).dtype));
  return u.builder.Emit(std::move(kernel), std::move(plan.buffers), {{u.Out(), plan.layout}},
                        {.take_over = kAnyInput});
}

Status Lower(const UnitContext& u, const Where&) {
  std::vector<ValueId> inputs = {u.In(0), u.In(1), u.In(2)};
  Broadcast plan = TRY(PlanBroadcast(u, inputs, false));
  std::unique_ptr<Kernel> kernel;
  switch (DTypeBytes(u.OutType().dtype)) {
    case 1: kernel = WhereKernel<uint8_t>(plan.walk); break;
    case 2: kernel = WhereKernel<uint16_t>(plan.walk); break;
    case 4: kernel = WhereKernel<uint32_t>(plan.walk); break;
    default: kernel = WhereKernel<uint64_t>(plan.walk); break;
  }
  return u.builder.Emit(std::move(kernel), std::move(plan.buffers), {{u.Out(), plan.layout}});
}

Status Lower(const UnitContext& u, const ChannelAffine&) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.OutShape();
  Layout layout = u.builder.LayoutOf(u.In(0));
  if (HasPadding(shape, layout)) layout = Layout::kDense;
  // scale and shift vary along the channel only: one stride of 1 there, or 16 and 1 when it is split.
  Strided walk{.extents = MemoryShape(shape, layout), .offsets = std::vector<int64_t>(4)};
  Shape channel(walk.extents.size(), 0);
  channel[layout == Layout::kNhwc ? channel.size() - 1 : 1] = layout == Layout::kNChw16c ? kChannelBlock : 1;
  if (layout == Layout::kNChw16c) channel.back() = 1;
  Shape dense = DenseStrides(walk.extents);
  walk.strides = {dense, dense, channel, channel};
  walk = WithTiles(Collapse(walk));
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0), layout)), TRY(u.builder.Read(u.In(1))),
                                  TRY(u.builder.Read(u.In(2)))};
  return u.builder.Emit(u.relu() ? AffineKernel<true>(walk) : AffineKernel<false>(walk), std::move(inputs),
                        {{u.Out(), layout}}, {.take_over = 0});
}

}  // namespace soter::compute
