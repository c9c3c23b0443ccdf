#include "untrusted/backend/cuda/kernels/elementwise.h"
#include "untrusted/backend/cuda/kernels/launch.cuh"

namespace soter::cuda {

namespace {

__device__ float Softplus(float x) { return fmaxf(x, 0.0f) + log1pf(expf(-fabsf(x))); }

// Apply computes the operator for one element, as the ONNX specification defines it.
template <UnaryKind kind>
__device__ float Apply(float x, float alpha, float beta) {
  using enum UnaryKind;
  constexpr float kSqrtHalf = 0.70710678118654752f;
  if constexpr (kind == kRelu) return x < 0 ? 0.0f : x;
  else if constexpr (kind == kLeakyRelu) return x < 0 ? alpha * x : x;
  else if constexpr (kind == kSigmoid) return 1.0f / (1.0f + expf(-x));
  else if constexpr (kind == kTanh) return tanhf(x);
  else if constexpr (kind == kExp) return expf(x);
  else if constexpr (kind == kLog) return logf(x);
  else if constexpr (kind == kSqrt) return sqrtf(x);
  else if constexpr (kind == kReciprocal) return 1.0f / x;
  else if constexpr (kind == kNeg) return -x;
  else if constexpr (kind == kAbs) return fabsf(x);
  else if constexpr (kind == kErf) return erff(x);
  else if constexpr (kind == kGeluErf) return 0.5f * x * (1.0f + erff(x * kSqrtHalf));
  else if constexpr (kind == kGeluTanh) return 0.5f * x * (1.0f + tanhf(0.7978845608f * (x + 0.044715f * x * x * x)));
  else if constexpr (kind == kSilu) return x / (1.0f + expf(-x));
  else if constexpr (kind == kHardSigmoid) return fminf(fmaxf(alpha * x + beta, 0.0f), 1.0f);
  else if constexpr (kind == kHardSwish) return x * fminf(fmaxf(x / 6.0f + 0.5f, 0.0f), 1.0f);
  else if constexpr (kind == kElu) return x < 0 ? alpha * expm1f(x) : x;
  else if constexpr (kind == kSelu) return beta * (x > 0 ? x : alpha * expm1f(x));
  else if constexpr (kind == kCelu) return fmaxf(x, 0.0f) + fminf(0.0f, alpha * expm1f(x / alpha));
  else if constexpr (kind == kSoftplus) return Softplus(x);
  else if constexpr (kind == kSoftsign) return x / (1.0f + fabsf(x));
  else if constexpr (kind == kMish) return x * tanhf(Softplus(x));
  else if constexpr (kind == kThresholdedRelu) return x > alpha ? x : 0.0f;
  else if constexpr (kind == kClip) return x < alpha ? alpha : x > beta ? beta : x;  // NaN stays NaN
  else if constexpr (kind == kFloor) return floorf(x);
  else if constexpr (kind == kCeil) return ceilf(x);
  else if constexpr (kind == kRound) return rintf(x);
  else if constexpr (kind == kSign) return x > 0 ? 1.0f : x < 0 ? -1.0f : x;
  else if constexpr (kind == kSin) return sinf(x);
  else if constexpr (kind == kCos) return cosf(x);
  else if constexpr (kind == kTan) return tanf(x);
  else if constexpr (kind == kAsin) return asinf(x);
  else if constexpr (kind == kAcos) return acosf(x);
  else if constexpr (kind == kAtan) return atanf(x);
  else if constexpr (kind == kSinh) return sinhf(x);
  else if constexpr (kind == kCosh) return coshf(x);
  else if constexpr (kind == kAsinh) return asinhf(x);
  else if constexpr (kind == kAcosh) return acoshf(x);
  else if constexpr (kind == kAtanh) return atanhf(x);
  else return x;
}

template <UnaryKind kind>
cudaError_t Map(cudaStream_t stream, const Unary& op, int64_t count, const void* in, void* out) {
  const float* x = static_cast<const float*>(in);
  float* y = static_cast<float*>(out);
  return ForEach(stream, count, [=, alpha = op.alpha, beta = op.beta] __device__(int64_t i) {
    y[i] = Apply<kind>(x[i], alpha, beta);
  });
}

// MapKind finds the operator's instance of Map, from `kind` on.
template <uint8_t kind = 0>
cudaError_t MapKind(cudaStream_t stream, const Unary& op, int64_t count, const void* x, void* y) {
  if (static_cast<uint8_t>(op.kind) == kind) return Map<static_cast<UnaryKind>(kind)>(stream, op, count, x, y);
  if constexpr (kind < static_cast<uint8_t>(UnaryKind::kLast)) return MapKind<kind + 1>(stream, op, count, x, y);
  return cudaErrorInvalidValue;
}

bool GivesBool(UnaryKind kind) {
  return kind == UnaryKind::kNot || kind == UnaryKind::kIsNan || kind == UnaryKind::kIsInf;
}

cudaError_t MapToBool(cudaStream_t stream, const Unary& op, int64_t count, const void* in, void* out) {
  uint8_t* y = static_cast<uint8_t*>(out);
  if (op.kind == UnaryKind::kNot) {
    const uint8_t* x = static_cast<const uint8_t*>(in);
    return ForEach(stream, count, [=] __device__(int64_t i) { y[i] = x[i] == 0; });
  }
  const float* x = static_cast<const float*>(in);
  if (op.kind == UnaryKind::kIsNan) return ForEach(stream, count, [=] __device__(int64_t i) { y[i] = isnan(x[i]); });
  bool negative = op.alpha != 0, positive = op.beta != 0;
  return ForEach(stream, count, [=] __device__(int64_t i) { y[i] = isinf(x[i]) && (x[i] < 0 ? negative : positive); });
}

}  // namespace

bool UnaryKnown(UnaryKind kind, DType dtype) {
  return dtype == (kind == UnaryKind::kNot ? DType::kBool : DType::kFloat32);
}

cudaError_t LaunchUnary(cudaStream_t stream, const Unary& op, DType dtype, int64_t count, const void* x, void* y) {
  if (!UnaryKnown(op.kind, dtype)) return cudaErrorInvalidValue;
  return GivesBool(op.kind) ? MapToBool(stream, op, count, x, y) : MapKind(stream, op, count, x, y);
}

}  // namespace soter::cuda
