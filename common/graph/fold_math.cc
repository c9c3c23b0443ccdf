#include <algorithm>
#include <cmath>
#include <limits>

#include "common/graph/fold.h"

// Integers are computed in int64, which wraps around like the kernels' arithmetic; floats in double, which rounds
// once more to float32 without changing +, -, *, / and square roots.
namespace soter {
namespace {

bool IsFoldedFloat(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

// WithElements calls use(span) with the tensor's elements in their own type.
template <typename Use>
auto WithElements(const Tensor& x, Use&& use) {
  switch (x.dtype()) {
    case DType::kFloat32: return use(x.As<float>());
    case DType::kFloat64: return use(x.As<double>());
    case DType::kInt8: return use(x.As<int8_t>());
    case DType::kInt32: return use(x.As<int32_t>());
    case DType::kInt64: return use(x.As<int64_t>());
    case DType::kUint8: return use(x.As<uint8_t>());
    case DType::kBool: return use(x.As<bool>());
    case DType::kFloat16: break;
  }
  CHECK(false, "float16 is not folded");
}

template <typename T>
std::vector<T> Load(const Tensor& x) {
  return WithElements(x, [](auto elements) {
    std::vector<T> values;
    values.reserve(elements.size());
    for (auto element : elements) values.push_back(static_cast<T>(element));
    return values;
  });
}

template <typename Element, typename T>
void StoreAs(const std::vector<T>& values, Tensor& y) {
  std::ranges::transform(values, y.MutableAs<Element>().begin(), [](T value) { return static_cast<Element>(value); });
}

template <typename T>
Folded Store(const std::vector<T>& values, const TensorType& type) {
  Tensor y = TRY(Tensor::Allocate(type));
  switch (type.dtype) {
    case DType::kFloat32: StoreAs<float>(values, y); break;
    case DType::kFloat64: StoreAs<double>(values, y); break;
    case DType::kInt8: StoreAs<int8_t>(values, y); break;
    case DType::kUint8: StoreAs<uint8_t>(values, y); break;
    case DType::kInt32: StoreAs<int32_t>(values, y); break;
    case DType::kInt64: StoreAs<int64_t>(values, y); break;
    case DType::kBool: StoreAs<bool>(values, y); break;
    case DType::kFloat16: return std::optional<Tensor>();
  }
  return std::optional(std::move(y));
}

// Fold outcomes of one element: a value, none where the kind is not evaluated.
std::optional<int64_t> UnaryOf(UnaryKind kind, int64_t x) {
  switch (kind) {
    case UnaryKind::kIdentity: return x;
    case UnaryKind::kNot: return x == 0;
    case UnaryKind::kNeg: return static_cast<int64_t>(-static_cast<uint64_t>(x));
    case UnaryKind::kAbs: return x < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(x)) : x;
    case UnaryKind::kSign: return (x > 0) - (x < 0);
    case UnaryKind::kRelu: return std::max<int64_t>(x, 0);
    default: return std::nullopt;
  }
}

std::optional<double> UnaryOf(UnaryKind kind, double x) {
  switch (kind) {
    case UnaryKind::kIdentity: return x;
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kAbs: return std::fabs(x);
    case UnaryKind::kRelu: return x < 0 ? 0 : x;
    case UnaryKind::kFloor: return std::floor(x);
    case UnaryKind::kCeil: return std::ceil(x);
    case UnaryKind::kRound: return std::nearbyint(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kReciprocal: return 1 / x;
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    default: return std::nullopt;
  }
}

// Power by squaring; a negative exponent gives what truncation leaves.
int64_t IntegerPower(int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    return base == 1 ? 1 : 0;
  }
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (; exponent > 0; exponent >>= 1, factor *= factor)
    if (exponent & 1) result *= factor;
  return static_cast<int64_t>(result);
}

template <typename T>
std::optional<T> ComparisonOf(BinaryKind kind, T a, T b) {
  switch (kind) {
    case BinaryKind::kMin: return std::min(a, b);
    case BinaryKind::kMax: return std::max(a, b);
    case BinaryKind::kEqual: return a == b;
    case BinaryKind::kLess: return a < b;
    case BinaryKind::kLessOrEqual: return a <= b;
    case BinaryKind::kGreater: return a > b;
    case BinaryKind::kGreaterOrEqual: return a >= b;
    default: return std::nullopt;
  }
}

std::optional<int64_t> BinaryOf(BinaryKind kind, int64_t a, int64_t b) {
  uint64_t ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (kind) {
    case BinaryKind::kAdd: return static_cast<int64_t>(ua + ub);
    case BinaryKind::kSub: return static_cast<int64_t>(ua - ub);
    case BinaryKind::kMul: return static_cast<int64_t>(ua * ub);
    // Dividing by -1 is negation; the instruction would trap on the least integer.
    case BinaryKind::kDiv: return b == -1 ? static_cast<int64_t>(-ua) : a / b;
    case BinaryKind::kFmod: return b == -1 ? 0 : a % b;
    case BinaryKind::kMod: {
      int64_t rest = b == -1 ? 0 : a % b;
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
    }
    case BinaryKind::kPow: return IntegerPower(a, b);
    case BinaryKind::kAnd: return a && b;
    case BinaryKind::kOr: return a || b;
    case BinaryKind::kXor: return (a != 0) != (b != 0);
    default: return ComparisonOf(kind, a, b);
  }
}

std::optional<double> BinaryOf(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd: return a + b;
    case BinaryKind::kSub: return a - b;
    case BinaryKind::kMul: return a * b;
    case BinaryKind::kDiv: return a / b;
    case BinaryKind::kFmod: return std::fmod(a, b);
    case BinaryKind::kPow: return std::pow(a, b);
    // NaN must come through, which std::min and std::max do not promise.
    case BinaryKind::kMin: case BinaryKind::kMax:
      if (std::isnan(a) || std::isnan(b)) return NAN;
      [[fallthrough]];
    default: return ComparisonOf(kind, a, b);
  }
}

bool Divides(BinaryKind kind) {
  return kind == BinaryKind::kDiv || kind == BinaryKind::kMod || kind == BinaryKind::kFmod;
}

template <typename T>
Folded BinaryOn(const Binary& op, Constants in, const TensorType& type) {
  std::vector<T> a = Load<T>(*in[0]), b = Load<T>(*in[1]), y;
  if (std::is_same_v<T, int64_t> && Divides(op.kind) && std::ranges::count(b, T{0}) > 0)
    return Malformed("an integer is divided by zero");
  std::vector<int64_t> a_strides = BroadcastStrides(in[0]->shape(), type.shape);
  std::vector<int64_t> b_strides = BroadcastStrides(in[1]->shape(), type.shape);
  bool known = true;
  ForEachIndex(type.shape, [&](int64_t, std::span<const int64_t> index) {
    std::optional<T> value = BinaryOf(op.kind, a[LinearOffset(index, a_strides)], b[LinearOffset(index, b_strides)]);
    known = known && value.has_value();
    T result = value.value_or(T{0});
    y.push_back(op.activation == Activation::kRelu && result < 0 ? T{0} : result);
  });
  if (!known) return std::optional<Tensor>();
  return Store(y, type);
}

template <typename T>
Folded UnaryOn(const Unary& op, Constants in, const TensorType& type) {
  std::vector<T> values = Load<T>(*in[0]);
  for (T& value : values) {
    std::optional<T> result = UnaryOf(op.kind, value);
    if (!result) return std::optional<Tensor>();
    value = *result;
  }
  return Store(values, type);
}

bool AnyFloat16(Constants in, const TensorType& type) {
  return type.dtype == DType::kFloat16 ||
         std::ranges::any_of(in, [](const Tensor* x) { return x != nullptr && x->dtype() == DType::kFloat16; });
}

}  // namespace

Folded FoldUnary(const Unary& op, Constants in, const TensorType& type) {
  if (AnyFloat16(in, type) || (in[0]->dtype() != type.dtype)) return std::optional<Tensor>();
  return IsFoldedFloat(type.dtype) ? UnaryOn<double>(op, in, type) : UnaryOn<int64_t>(op, in, type);
}

Folded FoldBinary(const Binary& op, Constants in, const TensorType& type) {
  if (AnyFloat16(in, type)) return std::optional<Tensor>();
  return IsFoldedFloat(in[0]->dtype()) ? BinaryOn<double>(op, in, type) : BinaryOn<int64_t>(op, in, type);
}

Folded FoldWhere(Constants in, const TensorType& type) {
  std::vector<int64_t> condition = Load<int64_t>(*in[0]);
  std::vector<int64_t> strides[3];
  for (size_t i = 0; i < 3; ++i) strides[i] = BroadcastStrides(in[i]->shape(), type.shape);
  Tensor y = TRY(Tensor::Allocate(type));
  size_t element_bytes = DTypeBytes(type.dtype);
  ForEachIndex(type.shape, [&](int64_t linear, std::span<const int64_t> index) {
    size_t branch = condition[LinearOffset(index, strides[0])] ? 1 : 2;
    const std::byte* source = in[branch]->bytes().data() + LinearOffset(index, strides[branch]) * element_bytes;
    std::copy_n(source, element_bytes, y.mutable_bytes().data() + linear * element_bytes);
  });
  return std::optional(std::move(y));
}

namespace {

// ToInteger truncates like a C cast, and saturates where that is undefined.
int64_t ToInteger(double value) {
  if (std::isnan(value)) return 0;
  if (value >= 0x1p63) return INT64_MAX;
  if (value < -0x1p63) return INT64_MIN;
  return static_cast<int64_t>(value);
}

}  // namespace

Folded FoldCast(Constants in, const TensorType& type) {
  if (AnyFloat16(in, type)) return std::optional<Tensor>();
  bool from_float = IsFoldedFloat(in[0]->dtype());
  if (IsFoldedFloat(type.dtype))
    return from_float ? Store(Load<double>(*in[0]), type) : Store(Load<int64_t>(*in[0]), type);
  std::vector<int64_t> values;
  if (!from_float) return Store(Load<int64_t>(*in[0]), type);
  for (double value : Load<double>(*in[0]))
    values.push_back(type.dtype == DType::kBool ? value != 0 : ToInteger(value));
  return Store(values, type);
}

Folded FoldRange(Constants in, const TensorType& type) {
  auto fill = [&](auto zero) -> Folded {
    using T = decltype(zero);
    T value = Load<T>(*in[0])[0], delta = Load<T>(*in[2])[0];
    std::vector<T> values(type.shape[0]);
    // start + i * delta: summing deltas would gather rounding errors.
    for (int64_t i = 0; i < type.shape[0]; ++i)
      values[i] = *BinaryOf(BinaryKind::kAdd, value, *BinaryOf(BinaryKind::kMul, static_cast<T>(i), delta));
    return Store(values, type);
  };
  return IsFoldedFloat(type.dtype) ? fill(0.0) : fill(int64_t{0});
}

namespace {

template <typename T>
Folded ReduceOn(ReduceKind kind, const Operands& in, std::span<const int64_t> strides, const TensorType& type) {
  T start = kind == ReduceKind::kProd ? T{1} : T{0};
  if (kind == ReduceKind::kMax) start = std::numeric_limits<T>::lowest();
  if (kind == ReduceKind::kMin) start = std::numeric_limits<T>::max();
  std::vector<T> x = Load<T>(*in.constant(0));
  std::vector<T> y(TRY(ElementCount(type.shape)), start);
  BinaryKind step = kind == ReduceKind::kProd  ? BinaryKind::kMul
                    : kind == ReduceKind::kMax ? BinaryKind::kMax
                    : kind == ReduceKind::kMin ? BinaryKind::kMin
                                               : BinaryKind::kAdd;
  ForEachIndex(in.shape(0), [&](int64_t linear, std::span<const int64_t> index) {
    T& total = y[LinearOffset(index, strides)];
    total = *BinaryOf(step, total, x[linear]);
  });
  return Store(y, type);
}

}  // namespace

Folded FoldReduce(const Reduce& op, const Operands& in, const TensorType& type) {
  bool folded = op.kind == ReduceKind::kSum || op.kind == ReduceKind::kProd || op.kind == ReduceKind::kMax ||
                op.kind == ReduceKind::kMin;
  if (!folded || type.dtype == DType::kFloat16) return std::optional<Tensor>();
  std::vector<bool> reduced = TRY(ResolveReducedAxes(op, in));
  std::vector<int64_t> strides(reduced.size(), 0);
  int64_t stride = 1;
  for (size_t i = reduced.size(); i-- > 0;) {
    if (reduced[i]) continue;
    strides[i] = stride;
    stride *= in.shape(0)[i];
  }
  return IsFoldedFloat(type.dtype) ? ReduceOn<double>(op.kind, in, strides, type)
                                   : ReduceOn<int64_t>(op.kind, in, strides, type);
}

}  // namespace soter
