#include "untrusted/backend/cuda/kernels/reduce.h"

#include "untrusted/backend/cuda/kernels/launch.cuh"

// Each row belongs to one block: a thread adds every blockDim-th element, then the block combines its threads. So
// no float sum has more than n / 32 terms in a row, whatever the length n.
namespace soter::cuda {

namespace {

__device__ inline int64_t At(const Walk<1>& walk, int64_t i) {
  int64_t at[1];
  walk.At(i, at);
  return at[0];
}

// Fold combines map(element) over `folded`, in all threads of the block.
template <typename Map, typename Combine>
__device__ float Fold(const Walk<1>& folded, const float* x, float identity, Map map, Combine combine) {
  float value = identity;
  for (int64_t j = threadIdx.x; j < folded.count; j += blockDim.x) value = combine(value, map(x[At(folded, j)]));
  return BlockReduce(value, identity, combine);
}

struct Add {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Multiply {
  __device__ float operator()(float a, float b) const { return a * b; }
};
struct Greater {
  __device__ float operator()(float a, float b) const { return a < b ? b : a; }
};
struct Lesser {
  __device__ float operator()(float a, float b) const { return b < a ? b : a; }
};

template <typename Map, typename Combine, typename Finish>
cudaError_t Reduced(cudaStream_t stream, const ReduceShape& s, const float* x, float* y, float identity, Map map,
                    Combine combine, Finish finish) {
  return ForEachRow(stream, s.kept.count, s.folded.count, [=] __device__(int64_t row) {
    float value = Fold(s.folded, x + At(s.kept, row), identity, map, combine);
    if (threadIdx.x == 0) y[row] = finish(value);
  });
}

cudaError_t LogSumExp(cudaStream_t stream, const ReduceShape& s, const float* x, float* y) {
  return ForEachRow(stream, s.kept.count, s.folded.count, [=] __device__(int64_t row) {
    const float* from = x + At(s.kept, row);
    float most = Fold(s.folded, from, -INFINITY, [](float v) { return v; }, Greater{});
    float shift = isfinite(most) ? most : 0.0f;
    float sum = Fold(s.folded, from, 0.0f, [shift](float v) { return expf(v - shift); }, Add{});
    if (threadIdx.x == 0) y[row] = shift + logf(sum);
  });
}

struct Moments {
  float mean, inverse_deviation;
};

// MomentsOf reads a row twice: a variance from sums of squares would cancel.
__device__ Moments MomentsOf(const float* x, int64_t n, float epsilon, bool centred) {
  float mean = 0;
  if (centred) {
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) mean += x[i];
    mean = BlockSum(mean) / static_cast<float>(n);
  }
  float squares = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, 1.0f / sqrtf(BlockSum(squares) / static_cast<float>(n) + epsilon)};
}

}  // namespace

cudaError_t LaunchReduce(cudaStream_t stream, ReduceKind kind, const ReduceShape& s, const float* x, float* y) {
  auto same = [] __device__(float v) { return v; };
  auto magnitude = [] __device__(float v) { return fabsf(v); };
  auto square = [] __device__(float v) { return v * v; };
  auto root = [] __device__(float v) { return sqrtf(v); };
  auto logarithm = [] __device__(float v) { return logf(v); };
  float n = static_cast<float>(s.folded.count);
  switch (kind) {
    case ReduceKind::kSum: return Reduced(stream, s, x, y, 0.0f, same, Add{}, same);
    case ReduceKind::kMean: return Reduced(stream, s, x, y, 0.0f, same, Add{}, [n] __device__(float v) { return v / n; });
    case ReduceKind::kMax: return Reduced(stream, s, x, y, -INFINITY, same, Greater{}, same);
    case ReduceKind::kMin: return Reduced(stream, s, x, y, INFINITY, same, Lesser{}, same);
    case ReduceKind::kProd: return Reduced(stream, s, x, y, 1.0f, same, Multiply{}, same);
    case ReduceKind::kL1: return Reduced(stream, s, x, y, 0.0f, magnitude, Add{}, same);
    case ReduceKind::kL2: return Reduced(stream, s, x, y, 0.0f, square, Add{}, root);
    case ReduceKind::kLogSum: return Reduced(stream, s, x, y, 0.0f, same, Add{}, logarithm);
    case ReduceKind::kLogSumExp: return LogSumExp(stream, s, x, y);
    case ReduceKind::kSumSquare: return Reduced(stream, s, x, y, 0.0f, square, Add{}, same);
    default: return cudaErrorInvalidValue;
  }
}

cudaError_t LaunchArgReduce(cudaStream_t stream, const Reduce& op, const ReduceShape& s, const float* x, int64_t* y) {
  bool greatest = op.kind == ReduceKind::kArgMax, last = op.select_last;
  return ForEach(stream, s.kept.count, [=] __device__(int64_t i) {
    const float* from = x + At(s.kept, i);
    int64_t best = 0;
    float extreme = from[At(s.folded, 0)];
    for (int64_t j = 1; j < s.folded.count; ++j) {
      float value = from[At(s.folded, j)];
      bool better = greatest ? value > extreme : value < extreme;
      if (!better && !(last && value == extreme)) continue;
      best = j;
      extreme = value;
    }
    y[i] = best;
  });
}

cudaError_t LaunchSoftmax(cudaStream_t stream, bool log, int64_t outer, int64_t extent, int64_t inner, const float* x,
                          float* y) {
  return ForEachRow(stream, outer * inner, extent, [=] __device__(int64_t row) {
    int64_t begin = row / inner * extent * inner + row % inner;
    float most = -INFINITY, sum = 0;
    for (int64_t j = threadIdx.x; j < extent; j += blockDim.x) most = fmaxf(most, x[begin + j * inner]);
    most = BlockReduce(most, -INFINITY, Greater{});
    for (int64_t j = threadIdx.x; j < extent; j += blockDim.x) sum += expf(x[begin + j * inner] - most);
    sum = BlockSum(sum);
    float log_sum = logf(sum);
    for (int64_t j = threadIdx.x; j < extent; j += blockDim.x) {
      float shifted = x[begin + j * inner] - most;
      y[begin + j * inner] = log ? shifted - log_sum : expf(shifted) / sum;
    }
  });
}

cudaError_t LaunchLayerNorm(cudaStream_t stream, const LayerNorm& op, int64_t rows, int64_t n, const float* x,
                            const float* scale, const float* bias, float* y) {
  return ForEachRow(stream, rows, n, [=, epsilon = op.epsilon, centred = !op.rms] __device__(int64_t row) {
    const float* from = x + row * n;
    Moments m = MomentsOf(from, n, epsilon, centred);
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
      float value = (from[i] - m.mean) * m.inverse_deviation;
      y[row * n + i] = value * (scale != nullptr ? scale[i] : 1.0f) + (bias != nullptr ? bias[i] : 0.0f);
    }
  });
}

cudaError_t LaunchGroupNorm(cudaStream_t stream, const GroupNorm& op, const GroupNormShape& s, const float* x,
                            const float* scale, const float* bias, float* y) {
  int64_t n = s.channels * s.plane;
  return ForEachRow(stream, s.images * s.groups, n, [=, epsilon = op.epsilon] __device__(int64_t row) {
    const float* from = x + row * n;
    Moments m = MomentsOf(from, n, epsilon, true);
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
      int64_t channel = row % s.groups * s.channels + i / s.plane;
      y[row * n + i] = (from[i] - m.mean) * m.inverse_deviation * scale[channel] + bias[channel];
    }
  });
}

}  // namespace soter::cuda
