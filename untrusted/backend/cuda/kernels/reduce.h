#pragma once

#include <cuda_runtime.h>

#include "untrusted/backend/cuda/walk.h"

// Kernels that combine many elements into one, on float32. Each Launch* enqueues on `stream`, allocates nothing and
// returns what the launch returned. Pointers are to device memory.
namespace soter::cuda {

// ReduceShape: y[i] combines x[kept(i) + folded(j)] over all j.
struct ReduceShape {
  Walk<1> kept, folded;
};
// LaunchReduce computes every kind but kArgMax and kArgMin.
cudaError_t LaunchReduce(cudaStream_t stream, ReduceKind kind, const ReduceShape& shape, const float* x, float* y);
// LaunchArgReduce computes kArgMax and kArgMin over an axis: `folded` follows it from its first element.
cudaError_t LaunchArgReduce(cudaStream_t stream, const Reduce& op, const ReduceShape& shape, const float* x, int64_t* y);

// LaunchSoftmax: over the middle axis of [outer, extent, inner].
cudaError_t LaunchSoftmax(cudaStream_t stream, bool log, int64_t outer, int64_t extent, int64_t inner, const float* x,
                          float* y);

// LaunchLayerNorm: over the rows of [rows, n]; scale and bias [n] may be null.
cudaError_t LaunchLayerNorm(cudaStream_t stream, const LayerNorm& op, int64_t rows, int64_t n, const float* x,
                            const float* scale, const float* bias, float* y);

// LaunchGroupNorm: x [images, groups, channels, plane]; scale and bias [groups channels].
struct GroupNormShape {
  int64_t images = 1, groups = 1, channels = 1, plane = 1;
};
cudaError_t LaunchGroupNorm(cudaStream_t stream, const GroupNorm& op, const GroupNormShape& shape, const float* x,
                            const float* scale, const float* bias, float* y);

}  // namespace soter::cuda
