#pragma once

#include <cuda_runtime.h>

#include "untrusted/backend/cuda/walk.h"

// Kernels that look at neighbours, on float32. Each Launch* enqueues on `stream`, allocates nothing and returns what
// the launch returned. Pointers are to device memory.
namespace soter::cuda {

// PoolShape: windows over [planes, in[0], in[1], in[2]]; missing spatial axes are leading extents of 1.
struct PoolShape {
  PoolKind kind = PoolKind::kMax;
  bool count_include_pad = false;
  float p = 2;
  int64_t planes = 1;
  int64_t in[3], out[3], kernel[3], stride[3], dilation[3], pad[3], pad_end[3];
};
cudaError_t LaunchPool(cudaStream_t stream, const PoolShape& shape, const float* x, float* y);

// LrnShape: y = x / (bias + alpha sum of squares)^beta over `before` channels before and `after` channels after.
struct LrnShape {
  int64_t count = 0, channels = 1, plane = 1, before = 0, after = 0;
  float alpha = 0, beta = 0, bias = 1;
};
cudaError_t LaunchLrn(cudaStream_t stream, const LrnShape& shape, const float* x, float* y);

// ResizeShape: x [outer, in, inner] becomes y [outer, out, inner]. Position p of y is the sum of taps [p taps_each,
// (p + 1) taps_each) of `indices` and `weights`.
struct ResizeShape {
  int64_t outer = 1, in = 1, out = 1, inner = 1, taps_each = 1;
};
cudaError_t LaunchResize(cudaStream_t stream, const ResizeShape& shape, const int64_t* indices, const float* weights,
                         const float* x, float* y);

}  // namespace soter::cuda
