#include "trusted/check/fingerprint.h"

#include <algorithm>
#include <cmath>

#include "trusted/check/check_access.h"

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

WeightRows MeasureRows(const Node& node, const Tensor& weight) {
  std::span<const float> values = weight.As<float>();
  const Shape& shape = weight.shape();
  const auto* transpose = std::get_if<ConvTranspose>(&node.op);
  int64_t taps = Product(shape, 2);
  int64_t per_group = transpose ? shape[1] : shape[0];
  int64_t groups = transpose ? transpose->groups : 1;
  WeightRows rows{per_group * groups, transpose ? shape[0] / groups * taps : Product(shape, 1), {}};
  std::vector<double> squares(static_cast<size_t>(rows.channels), 0.0);
  for (size_t i = 0; i < values.size(); ++i) {
    int64_t at = static_cast<int64_t>(i);
    int64_t row = at / Product(shape, 1);
    int64_t channel = transpose ? row / (shape[0] / groups) * per_group + at / taps % per_group : row;
    squares[static_cast<size_t>(channel)] += double{values[i]} * values[i];
  }
  for (double square : squares) rows.norms.push_back(static_cast<float>(std::sqrt(square)));
  return rows;
}

}  // namespace

Fingerprint::Fingerprint(const Node& node, const Tensor& weight, const Tensor* bias, std::vector<Tensor> inputs,
                         std::vector<Tensor> outputs)
    : inputs_(std::move(inputs)), outputs_(std::move(outputs)), factors_(inputs_.size()) {
  CHECK(!inputs_.empty() && inputs_.size() == outputs_.size(), "a fingerprint needs cornerstones");
  WeightRows rows = MeasureRows(node, weight);
  row_norm_ = std::move(rows.norms);
  inner_count_ = rows.inner;
  bias_.assign(static_cast<size_t>(rows.channels), 0.0f);
  if (bias != nullptr) std::copy(bias->As<float>().begin(), bias->As<float>().end(), bias_.begin());
  channel_stride_ = std::holds_alternative<Linear>(node.op) ? 1 : Product(outputs_[0].shape(), 2);
  for (Tensor& output : outputs_) {
    std::span<float> y = output.MutableAs<float>();
    for (size_t i = 0; i < y.size(); ++i) y[i] -= bias_[static_cast<size_t>(ChannelOf(static_cast<int64_t>(i)))];
  }
}

void Fingerprint::Draw(RandomSource& random, std::span<float> x) {
  CHECK(x.size() == input_elements(), "a fingerprint has the size of its cornerstones");
  double norm = 0;
  for (float& factor : factors_) {
    factor = static_cast<float>(std::abs(random.NextGaussian()));
    norm += double{factor} * factor;
  }
  for (float& factor : factors_) factor = static_cast<float>(factor / std::sqrt(norm));
  std::fill(x.begin(), x.end(), 0.0f);
  for (size_t k = 0; k < factors_.size(); ++k) {
    std::span<const float> cornerstone = inputs_[k].As<float>();
    for (size_t i = 0; i < x.size(); ++i) x[i] += factors_[k] * cornerstone[i];
  }
  largest_input_ = 0;
  for (float value : x) largest_input_ = std::max(largest_input_, std::abs(value));
}

Result<Verified<PrivateTensor>> Fingerprint::Check(Claim claim) const {
  const PrivateTensor& answer = CheckAccess::Look(claim);
  if (answer.type != outputs_[0].type() || answer.layout != Layout::kDense)
    return Malformed("a fingerprint was answered with another shape");
  const float* y = reinterpret_cast<const float*>(answer.bytes.data());
  int64_t count = static_cast<int64_t>(outputs_[0].As<float>().size());
  float spread = kErrorFactor * kUnitRoundoff * std::sqrt(static_cast<float>(inner_count_)) * largest_input_;
  bool right = true;
  for (int64_t i = 0; i < count; ++i) {
    size_t channel = static_cast<size_t>(ChannelOf(i));
    double expected = bias_[channel];
    for (size_t k = 0; k < factors_.size(); ++k)
      expected += double{factors_[k]} * outputs_[k].As<float>()[static_cast<size_t>(i)];
    double allowed = double{spread} * row_norm_[channel] + 8.0 * kUnitRoundoff * (std::abs(expected) + std::abs(bias_[channel]));
    right &= std::abs(y[i] - expected) <= allowed;  // false for NaN; no early exit, so time tells nothing
  }
  if (!right) return IntegrityError("the accelerator answered a fingerprint wrongly");
  return CheckAccess::Accept(std::move(claim));
}

}  // namespace soter
