#include <cmath>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/onednn.h"

// Unary operators: those that networks spend time in run on oneDNN's vector code, the rest are plain loops.
namespace soter::compute {

namespace {

struct Eltwise {
  dnnl::algorithm algorithm;
  float alpha = 0, beta = 0;
};

// EltwiseOf is oneDNN's name of an operator, where its accuracy is ours (docs/operators.md).
std::optional<Eltwise> EltwiseOf(const Unary& op) {
  using enum dnnl::algorithm;
  switch (op.kind) {
    case UnaryKind::kRelu: return Eltwise{eltwise_relu};
    case UnaryKind::kLeakyRelu: return Eltwise{eltwise_relu, op.alpha};
    case UnaryKind::kSigmoid: return Eltwise{eltwise_logistic};
    case UnaryKind::kTanh: return Eltwise{eltwise_tanh};
    case UnaryKind::kExp: return Eltwise{eltwise_exp};
    case UnaryKind::kSqrt: return Eltwise{eltwise_sqrt};
    case UnaryKind::kAbs: return Eltwise{eltwise_abs};
    case UnaryKind::kGeluErf: return Eltwise{eltwise_gelu_erf};
    case UnaryKind::kGeluTanh: return Eltwise{eltwise_gelu_tanh};
    case UnaryKind::kSilu: return Eltwise{eltwise_swish, 1.0f};
    default: return std::nullopt;
  }
}

float RoundHalfEven(float x) { return std::nearbyint(x); }
float Softplus(float x) { return std::max(x, 0.0f) + std::log1p(std::exp(-std::fabs(x))); }
float Sign(float x) { return x > 0 ? 1.0f : x < 0 ? -1.0f : x; }

// Apply computes the operator for one element, as the ONNX specification defines it.
float Apply(UnaryKind kind, float x, float alpha, float beta) {
  switch (kind) {
    case UnaryKind::kRelu: return x < 0 ? 0.0f : x;
    case UnaryKind::kLeakyRelu: return x < 0 ? alpha * x : x;
    case UnaryKind::kSigmoid: return 1.0f / (1.0f + std::exp(-x));
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kLog: return std::log(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kReciprocal: return 1.0f / x;
    case UnaryKind::kNeg: return -x;
    case UnaryKind::kAbs: return std::fabs(x);
    case UnaryKind::kErf: return std::erf(x);
    case UnaryKind::kGeluErf: return 0.5f * x * (1.0f + std::erf(x * static_cast<float>(M_SQRT1_2)));
    case UnaryKind::kGeluTanh: return 0.5f * x * (1.0f + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
    case UnaryKind::kSilu: return x / (1.0f + std::exp(-x));
    case UnaryKind::kHardSigmoid: return std::min(std::max(alpha * x + beta, 0.0f), 1.0f);
    case UnaryKind::kHardSwish: return x * std::min(std::max(x / 6.0f + 0.5f, 0.0f), 1.0f);
    case UnaryKind::kElu: return x < 0 ? alpha * std::expm1(x) : x;
    case UnaryKind::kSelu: return beta * (x > 0 ? x : alpha * std::expm1(x));
    case UnaryKind::kCelu: return std::max(x, 0.0f) + std::min(0.0f, alpha * std::expm1(x / alpha));
    case UnaryKind::kSoftplus: return Softplus(x);
    case UnaryKind::kSoftsign: return x / (1.0f + std::fabs(x));
    case UnaryKind::kMish: return x * std::tanh(Softplus(x));
    case UnaryKind::kThresholdedRelu: return x > alpha ? x : 0.0f;
    case UnaryKind::kClip: return std::min(std::max(x, alpha), beta);
    case UnaryKind::kFloor: return std::floor(x);
    case UnaryKind::kCeil: return std::ceil(x);
    case UnaryKind::kRound: return RoundHalfEven(x);
    case UnaryKind::kSign: return Sign(x);
    case UnaryKind::kSin: return std::sin(x);
    case UnaryKind::kCos: return std::cos(x);
    case UnaryKind::kTan: return std::tan(x);
    case UnaryKind::kAsin: return std::asin(x);
    case UnaryKind::kAcos: return std::acos(x);
    case UnaryKind::kAtan: return std::atan(x);
    case UnaryKind::kSinh: return std::sinh(x);
    case UnaryKind::kCosh: return std::cosh(x);
    case UnaryKind::kAsinh: return std::asinh(x);
    case UnaryKind::kAcosh: return std::acosh(x);
    case UnaryKind::kAtanh: return std::atanh(x);
    case UnaryKind::kNot: case UnaryKind::kIsNan: case UnaryKind::kIsInf: case UnaryKind::kIdentity: return x;
  }
  return x;
}

template <typename T>
T ApplyInteger(UnaryKind kind, T x, float alpha, float beta) {
  switch (kind) {
    case UnaryKind::kNeg: return static_cast<T>(0 - x);
    case UnaryKind::kAbs: return x < 0 ? static_cast<T>(0 - x) : x;
    case UnaryKind::kSign: return static_cast<T>((x > 0) - (x < 0));
    case UnaryKind::kRelu: return std::max<T>(x, 0);
    default: {  // kClip
      double low = std::max(static_cast<double>(alpha), -9.2e18), high = std::min(static_cast<double>(beta), 9.2e18);
      return static_cast<double>(x) < low    ? static_cast<T>(low)
             : static_cast<double>(x) > high ? static_cast<T>(high)
                                             : x;
    }
  }
}

bool HasIntegerForm(UnaryKind kind) {
  return kind == UnaryKind::kNeg || kind == UnaryKind::kAbs || kind == UnaryKind::kSign || kind == UnaryKind::kRelu ||
         kind == UnaryKind::kClip;
}

// Map makes a kernel of y[i] = f(x[i]).
template <typename X, typename Y, typename F>
std::unique_ptr<Kernel> Map(int64_t count, F f) {
  return MakeKernel([count, f](const Arguments& a) {
    const X* x = a.In<X>(0);
    Y* y = a.Out<Y>(0);
    constexpr int64_t kParallelElements = 1 << 12;
#pragma omp parallel for simd schedule(static) if (count > kParallelElements)
    for (int64_t i = 0; i < count; ++i) y[i] = f(x[i]);
  });
}

// MapKind fixes the kind at compile time for the cheap operators, so that their loops are vectorised.
std::unique_ptr<Kernel> MapFloat(const Unary& op, int64_t count) {
  float alpha = op.alpha, beta = op.beta;
  switch (op.kind) {
    case UnaryKind::kClip:
      return Map<float, float>(count, [=](float x) { return Apply(UnaryKind::kClip, x, alpha, beta); });
    case UnaryKind::kNeg: return Map<float, float>(count, [](float x) { return -x; });
    case UnaryKind::kReciprocal: return Map<float, float>(count, [](float x) { return 1.0f / x; });
    case UnaryKind::kHardSigmoid:
      return Map<float, float>(count, [=](float x) { return Apply(UnaryKind::kHardSigmoid, x, alpha, beta); });
    case UnaryKind::kHardSwish:
      return Map<float, float>(count, [](float x) { return Apply(UnaryKind::kHardSwish, x, 0, 0); });
    default: return Map<float, float>(count, [=](float x) { return Apply(op.kind, x, alpha, beta); });
  }
}

std::unique_ptr<Kernel> MakeEltwise(const Eltwise& eltwise, const TensorType& type, Layout layout) {
  dnnl::memory::desc desc = DescOf(type, layout);
  dnnl::eltwise_forward::desc forward(dnnl::prop_kind::forward_inference, eltwise.algorithm, desc, eltwise.alpha,
                                      eltwise.beta);
  dnnl::eltwise_forward::primitive_desc primitive(forward, Engine());
  return std::make_unique<OnednnKernel>(dnnl::eltwise_forward(primitive), std::vector<Slot>{
      {DNNL_ARG_SRC, Slot::From::kInput, 0, desc}, {DNNL_ARG_DST, Slot::From::kOutput, 0, desc}});
}

// MakeTyped makes the kernel for dense operands of any supported type, or null.
std::unique_ptr<Kernel> MakeTyped(const Unary& op, DType dtype, int64_t count) {
  float alpha = op.alpha, beta = op.beta;
  UnaryKind kind = op.kind;
  if (kind == UnaryKind::kNot && dtype == DType::kBool)
    return Map<uint8_t, uint8_t>(count, [](uint8_t x) -> uint8_t { return x == 0; });
  if (kind == UnaryKind::kIsNan && dtype == DType::kFloat32)
    return Map<float, uint8_t>(count, [](float x) -> uint8_t { return std::isnan(x); });
  if (kind == UnaryKind::kIsInf && dtype == DType::kFloat32)
    return Map<float, uint8_t>(count, [=](float x) -> uint8_t { return std::isinf(x) && (x < 0 ? alpha : beta) != 0; });
  if (kind == UnaryKind::kNot || kind == UnaryKind::kIsNan || kind == UnaryKind::kIsInf) return nullptr;
  if (dtype == DType::kFloat32) return MapFloat(op, count);
  if (!HasIntegerForm(kind)) return nullptr;
  if (dtype == DType::kInt64)
    return Map<int64_t, int64_t>(count, [=](int64_t x) { return ApplyInteger(kind, x, alpha, beta); });
  if (dtype == DType::kInt32)
    return Map<int32_t, int32_t>(count, [=](int32_t x) { return ApplyInteger(kind, x, alpha, beta); });
  return nullptr;
}

}  // namespace

Status Lower(const UnitContext& u, const Unary& op) {
  const TensorType& type = u.InType(0);
  Layout layout = u.builder.LayoutOf(u.In(0));
  if (op.kind == UnaryKind::kIdentity) return u.builder.Alias(u.Out(), TRY(u.builder.Read(u.In(0), layout)), layout);
  std::optional<Eltwise> eltwise = type.dtype == DType::kFloat32 ? EltwiseOf(op) : std::nullopt;
  // A plain loop would make the padding of a blocked layout something else than zero.
  if (u.OutType() != type || (HasPadding(type.shape, layout) && !eltwise)) layout = Layout::kDense;
  std::unique_ptr<Kernel> kernel = eltwise ? MakeEltwise(*eltwise, type, layout)
                                           : MakeTyped(op, type.dtype, Product(type.shape));
  if (kernel == nullptr) return Unsupported(std::string("type ") + DTypeName(type.dtype));
  return u.builder.Emit(std::move(kernel), {TRY(u.builder.Read(u.In(0), layout))}, {{u.Out(), layout}},
                        {.take_over = kAnyInput});
}

}  // namespace soter::compute
