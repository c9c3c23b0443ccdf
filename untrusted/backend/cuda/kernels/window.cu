#include "untrusted/backend/cuda/kernels/window.h"

#include "untrusted/backend/cuda/kernels/launch.cuh"

namespace soter::cuda {

namespace {

// Taps are those of one window along one axis: [begin, end) inside the tensor, `padded` inside it and its padding.
struct Taps {
  int64_t start, begin, end, padded;
};

__device__ inline int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

__device__ inline Taps TapsOf(const PoolShape& s, int axis, int64_t position) {
  int64_t start = position * s.stride[axis] - s.pad[axis], dilation = s.dilation[axis], kernel = s.kernel[axis];
  int64_t begin = start < 0 ? CeilDivide(-start, dilation) : 0;
  int64_t room = s.in[axis] - start, padded_room = room + s.pad_end[axis];
  int64_t end = room > 0 ? CeilDivide(room, dilation) : 0;
  int64_t padded = padded_room > 0 ? CeilDivide(padded_room, dilation) : 0;
  return {start, begin, end < kernel ? end : kernel, padded < kernel ? padded : kernel};
}

__device__ inline int64_t Inside(const Taps& taps) { return taps.end > taps.begin ? taps.end - taps.begin : 0; }

__device__ float PoolAt(const PoolShape& s, const float* x, const Taps (&taps)[3]) {
  float most = -INFINITY, sum = 0;
  for (int64_t i = taps[0].begin; i < taps[0].end; ++i) {
    for (int64_t j = taps[1].begin; j < taps[1].end; ++j) {
      int64_t row = (taps[0].start + i * s.dilation[0]) * s.in[1] + taps[1].start + j * s.dilation[1];
      for (int64_t k = taps[2].begin; k < taps[2].end; ++k) {
        float value = x[row * s.in[2] + taps[2].start + k * s.dilation[2]];
        most = value > most ? value : most;
        sum += s.kind == PoolKind::kLp ? powf(fabsf(value), s.p) : value;
      }
    }
  }
  if (s.kind == PoolKind::kMax) return most;
  if (s.kind == PoolKind::kLp) return powf(sum, 1.0f / s.p);
  int64_t count = 1;
  for (const Taps& axis : taps) count *= s.count_include_pad ? axis.padded : Inside(axis);
  return sum / static_cast<float>(count > 1 ? count : 1);
}

}  // namespace

cudaError_t LaunchPool(cudaStream_t stream, const PoolShape& s, const float* x, float* y) {
  int64_t in_plane = s.in[0] * s.in[1] * s.in[2], out_plane = s.out[0] * s.out[1] * s.out[2];
  return ForEach(stream, s.planes * out_plane, [=] __device__(int64_t i) {
    auto [plane, position] = Divide(i, out_plane);
    auto [line, column] = Divide(position, s.out[2]);
    auto [slice, row] = Divide(line, s.out[1]);
    Taps taps[3] = {TapsOf(s, 0, slice), TapsOf(s, 1, row), TapsOf(s, 2, column)};
    y[i] = PoolAt(s, x + plane * in_plane, taps);
  });
}

cudaError_t LaunchLrn(cudaStream_t stream, const LrnShape& s, const float* x, float* y) {
  return ForEach(stream, s.count, [=] __device__(int64_t i) {
    int64_t channel = ChannelOf(i, s.plane, s.channels);
    int64_t first = channel < s.before ? -channel : -s.before;
    int64_t last = s.channels - 1 - channel < s.after ? s.channels - 1 - channel : s.after;
    float squares = 0;
    for (int64_t c = first; c <= last; ++c) squares += x[i + c * s.plane] * x[i + c * s.plane];
    y[i] = x[i] / powf(s.bias + s.alpha * squares, s.beta);
  });
}

cudaError_t LaunchResize(cudaStream_t stream, const ResizeShape& s, const int64_t* indices, const float* weights,
                         const float* x, float* y) {
  return ForEach(stream, s.outer * s.out * s.inner, [=] __device__(int64_t i) {
    auto [row, inner] = Divide(i, s.inner);
    auto [outer, position] = Divide(row, s.out);
    int64_t tap = position * s.taps_each;
    const float* from = x + outer * s.in * s.inner + inner;
    float sum = 0;
    for (int64_t t = tap; t < tap + s.taps_each; ++t) sum += weights[t] * from[indices[t] * s.inner];
    y[i] = sum;
  });
}

}  // namespace soter::cuda
