#include "trusted/check/fingerprint.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "common/compute/simd.h"
#include "trusted/check/check_access.h"
#include "trusted/check/verdict.h"

namespace soter {
namespace {

constexpr float kUnitRoundoff = 0x1p-24f;

// Rounding errors of k summed products behave like a random walk: u sqrt(k) |w||x| (Higham and Mary 2019), and
// Winograd's transforms add a constant factor; 4 covers both on every shape measured (docs/spec/integrity.md).
constexpr float kErrorFactor = 4.0f;

int64_t Product(const Shape& shape, size_t first) {
  int64_t product = 1;
  for (size_t i = first; i < shape.size(); ++i) product *= shape[i];
  return product;
}

// Where an output channel's weights lie: Conv and Linear have them in one row; ConvTranspose [c, m / groups, kernel].
struct WeightRows {
  int64_t channels, inner;
  std::vector<float> norms;
};

double SquareSum(std::span<const float> values) {
  double sum = 0;
  for (float value : values) sum += double{value} * value;
  return sum;
}

WeightRows MeasureRows(const Node& node, const Tensor& weight) {
  std::span<const float> values = weight.As<float>();
  const Shape& shape = weight.shape();
  const auto* transpose = std::get_if<ConvTranspose>(&node.op);
  int64_t taps = Product(shape, 2);
  int64_t per_group = transpose ? shape[1] : shape[0];
  int64_t groups = transpose ? transpose->groups : 1;
  WeightRows rows{per_group * groups, transpose ? shape[0] / groups * taps : Product(shape, 1), {}};
  std::vector<double> squares(static_cast<size_t>(rows.channels), 0.0);
  size_t run = static_cast<size_t>(transpose ? taps : rows.inner);  // weights of one output channel that lie together
  for (size_t r = 0; r * run < values.size(); ++r) {
    size_t channel = r;
    if (transpose) {
      size_t outputs = static_cast<size_t>(per_group), inputs_per_group = static_cast<size_t>(shape[0] / groups);
      channel = r / outputs / inputs_per_group * outputs + r % outputs;
    }
    squares[channel] += SquareSum(values.subspan(r * run, run));
  }
  for (double square : squares) rows.norms.push_back(static_cast<float>(std::sqrt(square)));
  return rows;
}

SOTER_SIMD_CLONES void AddScaled(const float* source, float factor, float* target, int64_t count) {
  for (int64_t i = 0; i < count; ++i) target[i] += factor * source[i];
}

SOTER_SIMD_CLONES float LargestMagnitude(const float* values, int64_t count) {
  float largest = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < count; ++i) largest = std::max(largest, std::abs(values[i]));
  return largest;
}

// One channel's run of an answer against the expected values; false too for a NaN.
SOTER_SIMD_CLONES bool RunAgrees(const float* answer, const float* expected, float bias, float spread, int64_t count) {
  int wrong = 0;
#pragma omp simd reduction(+ : wrong)
  for (int64_t i = 0; i < count; ++i) {
    float want = expected[i] + bias;
    float allowed = spread + 8.0f * kUnitRoundoff * (std::abs(expected[i]) + std::abs(bias));
    wrong += !(std::abs(answer[i] - want) <= allowed);
  }
  return wrong == 0;
}

constexpr int64_t kBlock = 4096;  // elements summed at a time: they stay in the first-level cache

}  // namespace

Fingerprint::Fingerprint(const Node& node, const Tensor& weight, const Tensor* bias, std::vector<Tensor> inputs,
                         std::vector<Tensor> outputs)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  CHECK(!inputs_.empty() && inputs_.size() == outputs_.size(), "a fingerprint needs cornerstones");
  WeightRows rows = MeasureRows(node, weight);
  row_norm_ = std::move(rows.norms);
  inner_count_ = rows.inner;
  bias_.assign(static_cast<size_t>(rows.channels), 0.0f);
  if (bias != nullptr) std::copy(bias->As<float>().begin(), bias->As<float>().end(), bias_.begin());
  channel_stride_ = std::holds_alternative<Linear>(node.op) ? 1 : Product(outputs_[0].shape(), 2);
  int64_t runs = Product(outputs_[0].shape(), 0) / channel_stride_;
  for (Tensor& output : outputs_)
    for (int64_t run = 0; run < runs; ++run) {
      float* y = output.MutableAs<float>().data() + run * channel_stride_;
      float offset = bias_[static_cast<size_t>(run % rows.channels)];
      for (int64_t i = 0; i < channel_stride_; ++i) y[i] -= offset;
    }
}

void Fingerprint::Draw(RandomSource& random, std::span<float> x, Combination& drawn) const {
  CHECK(x.size() == input_elements(), "a fingerprint has the size of its cornerstones");
  std::vector<float>& factors = drawn.factors;
  factors.resize(inputs_.size());
  double norm = 0;
  for (float& factor : factors) {
    factor = static_cast<float>(std::abs(random.NextGaussian()));
    norm += double{factor} * factor;
  }
  for (float& factor : factors) factor = static_cast<float>(factor / std::sqrt(norm));
  int64_t count = static_cast<int64_t>(x.size());
  float largest = 0;
#pragma omp parallel for schedule(static) reduction(max : largest)
  for (int64_t start = 0; start < count; start += kBlock) {
    int64_t size = std::min(kBlock, count - start);
    float* block = x.data() + start;
    std::fill_n(block, size, 0.0f);
    for (size_t k = 0; k < factors.size(); ++k) AddScaled(inputs_[k].As<float>().data() + start, factors[k], block, size);
    largest = std::max(largest, LargestMagnitude(block, size));
  }
  drawn.largest_input = largest;
}

Result<Verified<PrivateTensor>> Fingerprint::Check(Claim claim, const Combination& drawn) const {
  const std::vector<float>& factors = drawn.factors;
  const PrivateTensor& answer = CheckAccess::Look(claim);
  if (answer.type != outputs_[0].type() || answer.layout != Layout::kDense)
    return Malformed("a fingerprint was answered with another shape");
  const float* y = reinterpret_cast<const float*>(answer.bytes.data());
  int64_t count = static_cast<int64_t>(outputs_[0].As<float>().size());
  int64_t channels = static_cast<int64_t>(bias_.size());
  float spread = kErrorFactor * kUnitRoundoff * std::sqrt(static_cast<float>(inner_count_)) * drawn.largest_input;
  bool right = true;  // no early exit, so that time tells nothing
#pragma omp parallel for schedule(static) reduction(&& : right)
  for (int64_t start = 0; start < count; start += kBlock) {
    int64_t end = std::min(start + kBlock, count);
    std::array<float, kBlock> expected;
    std::fill_n(expected.data(), end - start, 0.0f);
    for (size_t k = 0; k < factors.size(); ++k)
      AddScaled(outputs_[k].As<float>().data() + start, factors[k], expected.data(), end - start);
    for (int64_t i = start; i < end;) {  // one channel's run after the other
      int64_t run_end = std::min(end, (i / channel_stride_ + 1) * channel_stride_);
      size_t channel = static_cast<size_t>(i / channel_stride_ % channels);
      bool agrees = RunAgrees(y + i, expected.data() + (i - start), bias_[channel], spread * row_norm_[channel], run_end - i);
      right = right && agrees;
      i = run_end;
    }
  }
  if (!right) return IntegrityError(kWrongResult);
  return CheckAccess::Accept(std::move(claim));
}

}  // namespace soter
