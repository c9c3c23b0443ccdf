#include <cuda_fp16.h>

#include <limits>
#include <type_traits>

#include "untrusted/backend/cuda/kernels/elementwise.h"
#include "untrusted/backend/cuda/kernels/launch.cuh"

// Changes of element type: Cast, and what stands between float32 values and products in another arithmetic.
namespace soter::cuda {

namespace {

// Bool tells a truth value from a number: whatever is not zero becomes 1.
struct Bool {
  uint8_t value;
};

// Saturated converts like C where C defines it, and to the nearest integer of the type where it does not (NaN: 0).
template <typename Y, typename X>
__device__ Y Saturated(X x) {
  if constexpr (std::is_floating_point_v<X> && std::is_integral_v<Y>) {
    constexpr double kLow = static_cast<double>(std::numeric_limits<Y>::min());
    constexpr double kHigh = static_cast<double>(std::numeric_limits<Y>::max());
    double wide = static_cast<double>(x);
    if (isnan(wide)) return 0;
    if (wide <= kLow) return std::numeric_limits<Y>::min();
    if (wide >= kHigh) return std::numeric_limits<Y>::max();
  }
  return static_cast<Y>(x);
}

template <typename Y, typename X>
__device__ Y Convert(X x) {
  if constexpr (std::is_same_v<X, Bool>) return Convert<Y>(x.value);
  else if constexpr (std::is_same_v<X, __half>) return Convert<Y>(__half2float(x));
  else if constexpr (std::is_same_v<Y, Bool>) return Bool{static_cast<uint8_t>(x != X{0})};
  else if constexpr (std::is_same_v<Y, __half> && std::is_same_v<X, double>) return __double2half(x);
  else if constexpr (std::is_same_v<Y, __half>) return __float2half_rn(static_cast<float>(x));
  else return Saturated<Y>(x);
}

template <typename X, typename Y>
cudaError_t CastAll(cudaStream_t stream, int64_t count, const void* in, void* out) {
  const X* x = static_cast<const X*>(in);
  Y* y = static_cast<Y*>(out);
  return ForEach(stream, count, [=] __device__(int64_t i) { y[i] = Convert<Y>(x[i]); });
}

template <typename X>
cudaError_t CastFrom(cudaStream_t stream, DType to, int64_t count, const void* x, void* y) {
  switch (to) {
    case DType::kFloat32: return CastAll<X, float>(stream, count, x, y);
    case DType::kFloat64: return CastAll<X, double>(stream, count, x, y);
    case DType::kFloat16: return CastAll<X, __half>(stream, count, x, y);
    case DType::kInt8: return CastAll<X, int8_t>(stream, count, x, y);
    case DType::kUint8: return CastAll<X, uint8_t>(stream, count, x, y);
    case DType::kInt32: return CastAll<X, int32_t>(stream, count, x, y);
    case DType::kInt64: return CastAll<X, int64_t>(stream, count, x, y);
    case DType::kBool: return CastAll<X, Bool>(stream, count, x, y);
  }
  return cudaErrorInvalidValue;
}

template <typename X>
cudaError_t Finish(cudaStream_t stream, const Epilogue& e, const void* in, const float* bias, const float* residual,
                   float* y) {
  const X* x = static_cast<const X*>(in);
  return ForEach(stream, e.count, [=, channels = e.channels, plane = e.plane, relu = e.relu] __device__(int64_t i) {
    float value = Convert<float>(x[i]);
    if (bias != nullptr) value += bias[ChannelOf(i, plane, channels)];
    if (residual != nullptr) value += residual[i];
    y[i] = relu && value < 0 ? 0.0f : value;
  });
}

}  // namespace

cudaError_t LaunchCast(cudaStream_t stream, DType from, DType to, int64_t count, const void* x, void* y) {
  switch (from) {
    case DType::kFloat32: return CastFrom<float>(stream, to, count, x, y);
    case DType::kFloat64: return CastFrom<double>(stream, to, count, x, y);
    case DType::kFloat16: return CastFrom<__half>(stream, to, count, x, y);
    case DType::kInt8: return CastFrom<int8_t>(stream, to, count, x, y);
    case DType::kUint8: return CastFrom<uint8_t>(stream, to, count, x, y);
    case DType::kInt32: return CastFrom<int32_t>(stream, to, count, x, y);
    case DType::kInt64: return CastFrom<int64_t>(stream, to, count, x, y);
    case DType::kBool: return CastFrom<Bool>(stream, to, count, x, y);
  }
  return cudaErrorInvalidValue;
}

cudaError_t LaunchEpilogue(cudaStream_t stream, const Epilogue& epilogue, const void* x, const float* bias,
                           const float* residual, float* y) {
  switch (epilogue.x_dtype) {
    case DType::kFloat16: return Finish<__half>(stream, epilogue, x, bias, residual, y);
    case DType::kFloat32: return Finish<float>(stream, epilogue, x, bias, residual, y);
    case DType::kFloat64: return Finish<double>(stream, epilogue, x, bias, residual, y);
    default: return cudaErrorInvalidValue;
  }
}

}  // namespace soter::cuda
