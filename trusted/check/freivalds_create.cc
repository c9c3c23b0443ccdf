#include <algorithm>
#include <cmath>

#include "common/compute/layout.h"
#include "trusted/check/freivalds.h"
#include "trusted/check/freivalds_kernels.h"

// Draws the probes and computes the operator as they see it: q = W^T s, one combined filter for all output channels.
namespace soter {
namespace {

// The smallest normal float32: what one flushed product, sum or masked value can lose.
constexpr double kUnderflow = 0x1p-126;
// Covers unmasking by up to 2^3, factors of up to 2^6, and |s_j| below 8.
constexpr double kUnderflowMargin = 0x1p12;

// Weights in the order [column][in_channel][tap], in double precision.
struct CombinedWeights {
  int64_t width;  // in_channels * taps
  std::vector<double> sums;     // [columns][width]
  std::vector<double> squares;  // [width]: v, summed over the outputs that read it
};

// Multiplies `columns` rows of factors [columns][out_channels] with the weight.
CombinedWeights Combine(const ProbeGeometry& g, const float* weight, const std::vector<double>& factors, int threads) {
  const int64_t taps = g.taps(), width = g.in_channels * taps, columns = static_cast<int64_t>(factors.size()) / g.out_channels;
  const int64_t out_per_group = g.out_channels / g.groups, in_per_group = g.in_channels / g.groups;
  CombinedWeights result{width, std::vector<double>(static_cast<size_t>(columns * width), 0.0),
                         std::vector<double>(static_cast<size_t>(width), 0.0)};
  // Conv and Linear: rows are output channels, and all inputs of a group lie side by side. ConvTranspose: for each
  // input channel the rows are output channels, and its taps lie side by side.
  const int64_t span = g.transposed ? taps : in_per_group * taps;
  const int64_t row_stride = span;
  constexpr int64_t kBlock = 256;  // columns of the weight whose sums stay in cache
  const int64_t blocks = (span + kBlock - 1) / kBlock, parts = width / span;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t item = 0; item < parts * blocks; ++item) {
    int64_t part = item / blocks, begin = item % blocks * kBlock, count = std::min(kBlock, span - begin);
    int64_t group = g.transposed ? part / in_per_group : part, at = part * span + begin;
    freivalds::AddRows(weight + part * out_per_group * span + begin, out_per_group, row_stride, count,
                       factors.data() + group * out_per_group, g.out_channels, columns, result.sums.data() + at, width,
                       result.squares.data() + at);
  }
  return result;
}

}  // namespace

class Freivalds::Builder {
 public:
  Builder(const LinearOperator& op, int threads, int probes) : op_(op), probes_(probes) {
    check_.geometry_ = GeometryOf(op.node, op.x_type, op.weight.type(), op.y_type);
    check_.y_type_ = op.y_type;
    check_.x_layout_ = op.x_layout, check_.y_layout_ = op.y_layout;
    bool convolution = !std::holds_alternative<Linear>(op.node.op);
    check_.x_planar_ = convolution && op.x_layout == Layout::kDense;
    check_.y_planar_ = convolution && op.y_layout == Layout::kDense;
    check_.probes_ = probes, check_.threads_ = threads;
    int64_t rest = check_.columns() % freivalds::kTile;
    check_.group_columns_ = check_.columns() - rest + (rest > freivalds::kMaxSingles ? freivalds::kTile : 0);
    const SlidingAxis& inner = check_.geometry_.axes[2];
    for (int64_t tap = 0; tap < inner.kernel; ++tap)
      check_.overlaps_.push_back(OverlapOf(inner, check_.geometry_.transposed, tap));
  }

  void Draw(RandomSource& random) {
    const ProbeGeometry& g = check_.geometry_;
    const int64_t per_set = probes_ * g.out_channels;
    std::vector<double> factors(static_cast<size_t>(kMaxCheckFailures * per_set));
    for (double& factor : factors) factor = random.NextGaussian();
    CombinedWeights combined = Combine(g, op_.weight.As<float>().data(), factors, check_.threads_);
    for (int64_t i = 0; i < kMaxCheckFailures; ++i) {
      ProbeSet set{{factors.begin() + i * per_set, factors.begin() + (i + 1) * per_set}, {}, {}, {}};
      Arrange(combined, i * probes_, set);
      SetOffsets(set);
      check_.sets_.push_back(std::move(set));
    }
    SetScale(combined.squares);
  }

  // Fixes the tolerance.
  void SetTolerance(RoundingFamily family) {
    const ProbeGeometry& g = check_.geometry_;
    check_.model_ = ModelOf(family);
    double terms = static_cast<double>(g.inner_count()), outputs = static_cast<double>(g.out_channels);
    const RoundingModel& model = check_.model_;
    check_.relative_ = model.factor * model.unit_roundoff * std::sqrt(terms + kExtraTerms) +
                       model.operand_factor * model.operand_roundoff;
    double largest = 0;
    for (float value : op_.weight.As<float>()) largest = std::max(largest, std::abs(double{value}));
    check_.absolute_ = kUnderflow * kUnderflowMargin * (terms + 1) * (1 + largest) * outputs;
  }

  Freivalds Finish() && { return std::move(check_); }

 private:
  // Brings the columns (tap, probe) of one set into the order of the kernels.
  void Arrange(const CombinedWeights& combined, int64_t first, ProbeSet& set) const {
    const int64_t taps = check_.geometry_.taps(), channels = check_.geometry_.in_channels;
    const int64_t grouped = check_.group_columns_, singles = std::max<int64_t>(0, check_.columns() - grouped);
    set.groups.assign(static_cast<size_t>(grouped * channels), 0.0);
    set.singles.assign(static_cast<size_t>(singles * channels), 0.0);
    for (int64_t column = 0; column < check_.columns(); ++column) {
      const double* from = combined.sums.data() + (first + column % probes_) * combined.width + column / probes_;
      int64_t group = column / freivalds::kGroup * freivalds::kGroup, width = std::min(freivalds::kGroup, grouped - group);
      bool single = column >= grouped;
      double* to = single ? set.singles.data() + (column - grouped) * channels
                          : set.groups.data() + group * channels + (column - group);
      for (int64_t c = 0; c < channels; ++c) to[single ? c : c * width] = from[c * taps];
    }
  }

  void SetOffsets(ProbeSet& set) const {
    const int64_t outputs = check_.geometry_.out_channels;
    for (int64_t p = 0; p < probes_; ++p) {
      double sum = 0;
      for (int64_t j = 0; op_.bias != nullptr && j < outputs; ++j)
        sum += set.s[static_cast<size_t>(p * outputs + j)] * op_.bias->As<float>()[static_cast<size_t>(j)];
      set.offsets.push_back(sum);
    }
  }

  // Bounds v[tap][c] by tap_weight[tap] * input_square[c], so that one sum of squares per position serves all taps.
  void SetScale(const std::vector<double>& squares) {
    const int64_t taps = check_.geometry_.taps(), channels = check_.geometry_.in_channels;
    check_.input_squares_.assign(static_cast<size_t>(channels), 0.0);
    check_.output_squares_.assign(static_cast<size_t>(check_.geometry_.out_channels), 1.0);
    check_.tap_weights_.assign(static_cast<size_t>(taps), 0.0);
    for (int64_t c = 0; c < channels; ++c) {
      const double* v = squares.data() + c * taps;
      double& sum = check_.input_squares_[static_cast<size_t>(c)];
      for (int64_t tap = 0; tap < taps; ++tap) sum += v[tap];
      for (int64_t tap = 0; sum > 0 && tap < taps; ++tap) {
        double& weight = check_.tap_weights_[static_cast<size_t>(tap)];
        weight = std::max(weight, v[tap] / sum);
      }
    }
    if (op_.bias != nullptr)
      for (float value : op_.bias->As<float>()) check_.bias_square_ += double{value} * value;
  }

  const LinearOperator& op_;
  int64_t probes_;
  Freivalds check_;
};

Freivalds Freivalds::Create(const LinearOperator& op, RoundingFamily family, int threads, RandomSource& random,
                            int probes) {
  CHECK(probes >= 1 && probes <= freivalds::kMaxSingles, "between 1 and 3 probes");
  CHECK(op.x_layout != Layout::kNChw16c || op.x_type.shape[1] % compute::kChannelBlock == 0, "padding is not checked");
  CHECK(op.y_layout != Layout::kNChw16c || op.y_type.shape[1] % compute::kChannelBlock == 0, "padding is not checked");
  Builder builder(op, threads, probes);
  builder.Draw(random);
  builder.SetTolerance(family);
  return std::move(builder).Finish();
}

}  // namespace soter
