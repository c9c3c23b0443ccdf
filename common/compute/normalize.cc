#include <algorithm>
#include <cmath>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/simd.h"

// LayerNorm, GroupNorm and Lrn: statistics of a block of memory, then one pass over it.
namespace soter::compute {

namespace {

constexpr int64_t kLanes = 16;

struct Moments {
  float mean, inverse_deviation;
};

// SumOf adds (x[i] - shift)^power for power 1 or 2, in lanes so that the error grows with n / 16 only.
template <int power>
float SumOf(const float* x, int64_t n, float shift) {
  float lanes[kLanes] = {};
  double total = 0;
  constexpr int64_t kChunk = 4096;  // float sums of at most 256 terms a lane
  for (int64_t begin = 0; begin < n; begin += kChunk) {
    int64_t end = std::min(n, begin + kChunk), i = begin;
    std::fill(lanes, lanes + kLanes, 0.0f);
    for (; i + kLanes <= end; i += kLanes) {
#pragma omp simd
      for (int64_t l = 0; l < kLanes; ++l) {
        float d = x[i + l] - shift;
        lanes[l] += power == 1 ? d : d * d;
      }
    }
    for (; i < end; ++i) lanes[i % kLanes] += power == 1 ? x[i] - shift : (x[i] - shift) * (x[i] - shift);
    for (float lane : lanes) total += lane;
  }
  return static_cast<float>(total / static_cast<double>(n));
}

SOTER_SIMD_CLONES
Moments MomentsOf(const float* x, int64_t n, float epsilon, bool centred) {
  float mean = centred ? SumOf<1>(x, n, 0.0f) : 0.0f;
  return {mean, 1.0f / std::sqrt(SumOf<2>(x, n, mean) + epsilon)};
}

SOTER_SIMD_CLONES
void ScaleRow(const float* x, int64_t n, Moments m, const float* scale, const float* bias, float* y) {
  if (scale != nullptr && bias != nullptr) {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - m.mean) * m.inverse_deviation * scale[i] + bias[i];
  } else {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      y[i] = (x[i] - m.mean) * m.inverse_deviation * (scale ? scale[i] : 1.0f) + (bias ? bias[i] : 0.0f);
  }
}

struct LrnPlan {
  int64_t n, c, plane, before, after;
  float alpha, beta, bias;

  // Each position sums the squares of its neighbours in a window of channels; planes are contiguous, so the inner
  // loop runs along them.
  void operator()(const Arguments& a) const {
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t image = 0; image < n; ++image) {
      for (int64_t channel = 0; channel < c; ++channel) {
        const float* x = a.In<float>(0) + image * c * plane;
        float* y = a.Out<float>(0) + (image * c + channel) * plane;
        std::fill(y, y + plane, 0.0f);
        int64_t first = std::max<int64_t>(0, channel - before), last = std::min(c - 1, channel + after);
        for (int64_t other = first; other <= last; ++other) AddSquares(x + other * plane, y);
        Scale(x + channel * plane, y);
      }
    }
  }

  void AddSquares(const float* x, float* sum) const {
#pragma omp simd
    for (int64_t i = 0; i < plane; ++i) sum[i] += x[i] * x[i];
  }

  void Scale(const float* x, float* y) const {
    if (beta == 0.75f) {  // the usual exponent needs no pow: s^0.75 = sqrt(s) sqrt(sqrt(s))
#pragma omp simd
      for (int64_t i = 0; i < plane; ++i) {
        float root = std::sqrt(bias + alpha * y[i]);
        y[i] = x[i] / (root * std::sqrt(root));
      }
    } else {
      for (int64_t i = 0; i < plane; ++i) y[i] = x[i] / std::pow(bias + alpha * y[i], beta);
    }
  }
};

}  // namespace

Status Lower(const UnitContext& u, const LayerNorm& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  size_t axis = NormalAxis(op.axis, shape.size());
  int64_t rows = Product(shape, 0, axis), n = Product(shape, axis, shape.size());
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0)))};
  bool scale = u.Has(1), bias = u.Has(2);
  if (scale) inputs.push_back(TRY(u.builder.Read(u.In(1))));
  if (bias) inputs.push_back(TRY(u.builder.Read(u.In(2))));
  auto kernel = MakeKernel([=, epsilon = op.epsilon, centred = !op.rms](const Arguments& a) {
#pragma omp parallel for schedule(static) if (rows > 1 && rows * n > (1 << 12))
    for (int64_t row = 0; row < rows; ++row) {
      const float* x = a.In<float>(0) + row * n;
      ScaleRow(x, n, MomentsOf(x, n, epsilon, centred), scale ? a.In<float>(1) : nullptr,
               bias ? a.In<float>(scale ? 2 : 1) : nullptr, a.Out<float>(0) + row * n);
    }
  });
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out()}}, {.take_over = 0});
}

Status Lower(const UnitContext& u, const GroupNorm& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  int64_t channels = shape[1], groups = op.groups == 0 ? channels : op.groups;
  int64_t plane = Product(shape, 2, shape.size()), per_group = channels / groups;
  int64_t blocks = shape[0] * groups;
  auto kernel = MakeKernel([=, epsilon = op.epsilon](const Arguments& a) {
    const float* scale = a.In<float>(1);
    const float* bias = a.In<float>(2);
#pragma omp parallel for schedule(static) if (blocks > 1 && blocks * per_group * plane > (1 << 12))
    for (int64_t block = 0; block < blocks; ++block) {
      const float* x = a.In<float>(0) + block * per_group * plane;
      float* y = a.Out<float>(0) + block * per_group * plane;
      Moments m = MomentsOf(x, per_group * plane, epsilon, true);
      for (int64_t c = 0; c < per_group; ++c) {
        int64_t channel = block % groups * per_group + c;
        for (int64_t i = 0; i < plane; ++i)
          y[c * plane + i] = (x[c * plane + i] - m.mean) * m.inverse_deviation * scale[channel] + bias[channel];
      }
    }
  });
  std::vector<BufferId> inputs = {TRY(u.builder.Read(u.In(0))), TRY(u.builder.Read(u.In(1))),
                                  TRY(u.builder.Read(u.In(2)))};
  return u.builder.Emit(std::move(kernel), std::move(inputs), {{u.Out()}}, {.take_over = 0});
}

Status Lower(const UnitContext& u, const Lrn& op) {
  TRY(RequireFloat(u.InType(0)));
  const Shape& shape = u.InShape(0);
  LrnPlan plan{.n = shape[0], .c = shape[1], .plane = Product(shape, 2, shape.size()), .before = (op.size - 1) / 2,
               .after = op.size - 1 - (op.size - 1) / 2, .alpha = op.alpha / static_cast<float>(op.size),
               .beta = op.beta, .bias = op.bias};
  return u.builder.Emit(MakeKernel(plan), {TRY(u.builder.Read(u.In(0)))}, {{u.Out()}});
}

}  // namespace soter::compute
