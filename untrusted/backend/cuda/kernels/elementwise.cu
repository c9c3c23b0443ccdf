#include "untrusted/backend/cuda/kernels/elementwise.h"

#include "untrusted/backend/cuda/kernels/launch.cuh"

namespace soter::cuda {

namespace {

// Walked calls y = f(a, b) along a walk of y, a, b.
template <typename X, typename Y, typename F>
cudaError_t Walked(cudaStream_t stream, const Walk<3>& walk, const void* a, const void* b, void* y, F f) {
  const X* left = static_cast<const X*>(a);
  const X* right = static_cast<const X*>(b);
  Y* out = static_cast<Y*>(y);
  return ForEach(stream, walk.count, [=] __device__(int64_t i) {
    int64_t at[3];
    walk.At(i, at);
    out[at[0]] = f(left[at[1]], right[at[2]]);
  });
}

__device__ inline float FloorMod(float a, float b) {
  float r = fmodf(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
__device__ inline int64_t FloorMod(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

// Integers wrap around: signed overflow is undefined, so they are computed as unsigned.
__device__ inline uint64_t Bits(int64_t x) { return static_cast<uint64_t>(x); }
__device__ inline int64_t Divide(int64_t a, int64_t b) {
  if (b == 0) return 0;
  return b == -1 ? static_cast<int64_t>(0 - Bits(a)) : a / b;
}

template <typename F>
cudaError_t FloatBinary(cudaStream_t stream, const Walk<3>& walk, bool relu, const void* a, const void* b, void* y,
                        F f) {
  if (!relu) return Walked<float, float>(stream, walk, a, b, y, f);
  return Walked<float, float>(stream, walk, a, b, y, [f] __device__(float p, float q) {
    float r = f(p, q);
    return r < 0 ? 0.0f : r;
  });
}

cudaError_t LaunchFloat(cudaStream_t stream, BinaryKind kind, bool relu, const Walk<3>& walk, const void* a,
                        const void* b, void* y) {
  auto run = [&](auto f) { return FloatBinary(stream, walk, relu, a, b, y, f); };
  switch (kind) {
    case BinaryKind::kAdd: return run([] __device__(float p, float q) { return p + q; });
    case BinaryKind::kSub: return run([] __device__(float p, float q) { return p - q; });
    case BinaryKind::kMul: return run([] __device__(float p, float q) { return p * q; });
    case BinaryKind::kDiv: return run([] __device__(float p, float q) { return p / q; });
    case BinaryKind::kPow: return run([] __device__(float p, float q) { return powf(p, q); });
    case BinaryKind::kMin: return run([] __device__(float p, float q) { return q < p ? q : p; });
    case BinaryKind::kMax: return run([] __device__(float p, float q) { return p < q ? q : p; });
    case BinaryKind::kMod: return run([] __device__(float p, float q) { return FloorMod(p, q); });
    case BinaryKind::kFmod: return run([] __device__(float p, float q) { return fmodf(p, q); });
    case BinaryKind::kPRelu: return run([] __device__(float p, float q) { return p < 0 ? p * q : p; });
    default: return cudaErrorInvalidValue;
  }
}

cudaError_t LaunchInteger(cudaStream_t stream, BinaryKind kind, const Walk<3>& walk, const void* a, const void* b,
                          void* y) {
  auto run = [&](auto f) { return Walked<int64_t, int64_t>(stream, walk, a, b, y, f); };
  using I = int64_t;
  switch (kind) {
    case BinaryKind::kAdd: return run([] __device__(I p, I q) { return static_cast<I>(Bits(p) + Bits(q)); });
    case BinaryKind::kSub: return run([] __device__(I p, I q) { return static_cast<I>(Bits(p) - Bits(q)); });
    case BinaryKind::kMul: return run([] __device__(I p, I q) { return static_cast<I>(Bits(p) * Bits(q)); });
    case BinaryKind::kDiv: return run([] __device__(I p, I q) { return Divide(p, q); });
    case BinaryKind::kMin: return run([] __device__(I p, I q) { return q < p ? q : p; });
    case BinaryKind::kMax: return run([] __device__(I p, I q) { return p < q ? q : p; });
    case BinaryKind::kMod: return run([] __device__(I p, I q) { return FloorMod(p, q); });
    default: return cudaErrorInvalidValue;
  }
}

template <typename X>
cudaError_t LaunchComparison(cudaStream_t stream, BinaryKind kind, const Walk<3>& walk, const void* a, const void* b,
                             void* y) {
  auto run = [&](auto f) { return Walked<X, uint8_t>(stream, walk, a, b, y, f); };
  switch (kind) {
    case BinaryKind::kEqual: return run([] __device__(X p, X q) { return static_cast<uint8_t>(p == q); });
    case BinaryKind::kLess: return run([] __device__(X p, X q) { return static_cast<uint8_t>(p < q); });
    case BinaryKind::kLessOrEqual: return run([] __device__(X p, X q) { return static_cast<uint8_t>(p <= q); });
    case BinaryKind::kGreater: return run([] __device__(X p, X q) { return static_cast<uint8_t>(p > q); });
    case BinaryKind::kGreaterOrEqual: return run([] __device__(X p, X q) { return static_cast<uint8_t>(p >= q); });
    default: return cudaErrorInvalidValue;
  }
}

cudaError_t LaunchLogic(cudaStream_t stream, BinaryKind kind, const Walk<3>& walk, const void* a, const void* b,
                        void* y) {
  auto run = [&](auto f) { return Walked<uint8_t, uint8_t>(stream, walk, a, b, y, f); };
  using B = uint8_t;
  switch (kind) {
    case BinaryKind::kAnd: return run([] __device__(B p, B q) { return static_cast<B>(p != 0 && q != 0); });
    case BinaryKind::kOr: return run([] __device__(B p, B q) { return static_cast<B>(p != 0 || q != 0); });
    case BinaryKind::kXor: return run([] __device__(B p, B q) { return static_cast<B>((p != 0) != (q != 0)); });
    case BinaryKind::kEqual: return run([] __device__(B p, B q) { return static_cast<B>((p != 0) == (q != 0)); });
    default: return cudaErrorInvalidValue;
  }
}

template <typename T>
cudaError_t Select(cudaStream_t stream, const Walk<4>& walk, const uint8_t* condition, const void* a, const void* b,
                   void* y) {
  const T* yes = static_cast<const T*>(a);
  const T* no = static_cast<const T*>(b);
  T* out = static_cast<T*>(y);
  return ForEach(stream, walk.count, [=] __device__(int64_t i) {
    int64_t at[4];
    walk.At(i, at);
    out[at[0]] = condition[at[1]] != 0 ? yes[at[2]] : no[at[3]];
  });
}

bool IsComparison(BinaryKind kind) {
  return kind >= BinaryKind::kEqual && kind <= BinaryKind::kGreaterOrEqual;
}

}  // namespace

bool BinaryKnown(BinaryKind kind, DType dtype) {
  bool logic = kind >= BinaryKind::kAnd;
  switch (dtype) {
    case DType::kBool: return logic || kind == BinaryKind::kEqual;
    case DType::kFloat32: return !logic;
    case DType::kInt64:
      return !logic && kind != BinaryKind::kPow && kind != BinaryKind::kFmod && kind != BinaryKind::kPRelu;
    default: return false;
  }
}

cudaError_t LaunchBinary(cudaStream_t stream, BinaryKind kind, bool relu, DType dtype, const Walk<3>& walk,
                         const void* a, const void* b, void* y) {
  if (dtype == DType::kBool) return LaunchLogic(stream, kind, walk, a, b, y);
  bool real = dtype == DType::kFloat32;
  if (!IsComparison(kind)) {
    return real ? LaunchFloat(stream, kind, relu, walk, a, b, y) : LaunchInteger(stream, kind, walk, a, b, y);
  }
  return real ? LaunchComparison<float>(stream, kind, walk, a, b, y)
              : LaunchComparison<int64_t>(stream, kind, walk, a, b, y);
}

cudaError_t LaunchWhere(cudaStream_t stream, size_t element_bytes, const Walk<4>& walk, const uint8_t* condition,
                        const void* a, const void* b, void* y) {
  switch (element_bytes) {
    case 1: return Select<uint8_t>(stream, walk, condition, a, b, y);
    case 2: return Select<uint16_t>(stream, walk, condition, a, b, y);
    case 4: return Select<uint32_t>(stream, walk, condition, a, b, y);
    default: return Select<uint64_t>(stream, walk, condition, a, b, y);
  }
}

cudaError_t LaunchChannelAffine(cudaStream_t stream, int64_t count, int64_t channels, int64_t plane, bool relu,
                                const float* x, const float* scale, const float* shift, float* y) {
  return ForEach(stream, count, [=] __device__(int64_t i) {
    int64_t channel = ChannelOf(i, plane, channels);
    float value = x[i] * scale[channel] + shift[channel];
    y[i] = relu && value < 0 ? 0.0f : value;
  });
}

}  // namespace soter::cuda
