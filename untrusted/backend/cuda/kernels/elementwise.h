#pragma once

#include <cuda_runtime.h>

#include "untrusted/backend/cuda/walk.h"

// Elementwise kernels. Each Launch* enqueues on `stream`, allocates nothing and returns what the launch returned.
// Pointers are to device memory. *Known tells for which element types a kernel exists.
namespace soter::cuda {

// LaunchUnary: y[i] = kind(x[i]) of `count` elements of `dtype`; kIsNan, kIsInf and kNot give bool.
bool UnaryKnown(UnaryKind kind, DType dtype);
cudaError_t LaunchUnary(cudaStream_t stream, const Unary& op, DType dtype, int64_t count, const void* x, void* y);

// LaunchBinary: y = activation(kind(a, b)) along a walk of y, a, b.
bool BinaryKnown(BinaryKind kind, DType dtype);
cudaError_t LaunchBinary(cudaStream_t stream, BinaryKind kind, bool relu, DType dtype, const Walk<3>& walk,
                         const void* a, const void* b, void* y);

// LaunchWhere: y = condition ? a : b along a walk of y, condition, a, b; elements of `element_bytes`.
cudaError_t LaunchWhere(cudaStream_t stream, size_t element_bytes, const Walk<4>& walk, const uint8_t* condition,
                        const void* a, const void* b, void* y);

// LaunchCast converts like common/compute: saturating to integers, NaN to 0. Every pair of types is known.
cudaError_t LaunchCast(cudaStream_t stream, DType from, DType to, int64_t count, const void* x, void* y);

// Epilogue is what follows a linear operator: y = activation(x + bias + residual), for x of float16, float32 or
// float64 [outer, channels, plane]; bias [channels] and residual may be null. y may be x when that is float32.
struct Epilogue {
  DType x_dtype = DType::kFloat32;
  int64_t count = 0, channels = 1, plane = 1;
  bool relu = false;
};
cudaError_t LaunchEpilogue(cudaStream_t stream, const Epilogue& epilogue, const void* x, const float* bias,
                           const float* residual, float* y);

// LaunchChannelAffine: y = activation(x scale + shift), x [outer, channels, plane].
cudaError_t LaunchChannelAffine(cudaStream_t stream, int64_t count, int64_t channels, int64_t plane, bool relu,
                                const float* x, const float* scale, const float* shift, float* y);

}  // namespace soter::cuda
