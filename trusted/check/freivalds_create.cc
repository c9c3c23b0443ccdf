#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/compute/layout.h"
#include "trusted/check/freivalds.h"

// Draws the probes and computes the operator as they see it: W^T s, one combined filter for all outputs of a tile.
namespace soter {

using freivalds::kBlock;

namespace {

// The smallest normal float32: what one flushed product, sum or masked value can lose.
constexpr double kUnderflow = 0x1p-126;
// Covers unmasking by up to 2^3, factors of up to 2^6, and |s_j| below 8.
constexpr double kUnderflowMargin = 0x1p12;
// What a square may lose in float32 sums, and the root of it.
constexpr double kSquareUnderflow = 0x1p-149;

// Weights in the order [column][in_channel][tap], in double precision.
struct CombinedWeights {
  int64_t width;  // in_channels * taps
  std::vector<double> sums;     // [columns][width]
  std::vector<double> squares;  // [width]: v, summed over the outputs that read it
};

// Multiplies `columns` rows of factors [columns][out_channels] with the weight.
CombinedWeights Combine(const ProbeGeometry& g, const float* weight, const std::vector<float>& factors, int threads) {
  const int64_t taps = g.taps(), width = g.in_channels * taps, columns = static_cast<int64_t>(factors.size()) / g.out_channels;
  const int64_t out_per_group = g.out_channels / g.groups, in_per_group = g.in_channels / g.groups;
  CombinedWeights result{width, std::vector<double>(static_cast<size_t>(columns * width), 0.0),
                         std::vector<double>(static_cast<size_t>(width), 0.0)};
  // Conv and Linear: rows are output channels, and all inputs of a group lie side by side. ConvTranspose: for each
  // input channel the rows are output channels, and its taps lie side by side.
  const int64_t span = g.transposed ? taps : in_per_group * taps;
  constexpr int64_t kSpan = 256;  // columns of the weight whose sums stay in cache
  const int64_t blocks = (span + kSpan - 1) / kSpan, parts = width / span;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t item = 0; item < parts * blocks; ++item) {
    int64_t part = item / blocks, begin = item % blocks * kSpan, count = std::min(kSpan, span - begin);
    int64_t group = g.transposed ? part / in_per_group : part, at = part * span + begin;
    freivalds::AddRows(weight + part * out_per_group * span + begin, out_per_group, span, count,
                       factors.data() + group * out_per_group, g.out_channels, columns, result.sums.data() + at, width,
                       result.squares.data() + at);
  }
  return result;
}

Buffer Zeros(int64_t floats) {
  Buffer buffer(static_cast<size_t>(floats) * sizeof(float));
  std::memset(buffer.bytes().data(), 0, buffer.size());
  return buffer;
}

float* Floats(Buffer& buffer) { return reinterpret_cast<float*>(buffer.bytes().data()); }

// Calls f(d, h, w) for all of three extents, the innermost fastest.
void ForAll(const std::array<int64_t, 3>& extents, auto&& f) {
  for (int64_t d = 0; d < extents[0]; ++d)
    for (int64_t h = 0; h < extents[1]; ++h)
      for (int64_t w = 0; w < extents[2]; ++w) f(TileCell{{d, h, w}});
}

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t IndexOf(const std::vector<TileCell>& cells, const TileCell& cell) {
  return std::find(cells.begin(), cells.end(), cell) - cells.begin();
}

}  // namespace

class Freivalds::Builder {
 public:
  Builder(const LinearOperator& op, RoundingFamily family, int threads, int probes) : op_(op) {
    check_.geometry_ = GeometryOf(op.node, op.x_type, op.weight.type(), op.y_type);
    check_.tiling_ = TilingOf(check_.geometry_, probes);
    check_.model_ = ModelOf(family);
    check_.y_type_ = op.y_type, check_.y_layout_ = op.y_layout;
    check_.probes_ = probes, check_.threads_ = threads;
    check_.x_side_ = MakeSide(true), check_.y_side_ = MakeSide(false);
    SetBands();
    for (int kind = 0; kind < Tiling::kKinds; ++kind)
      if (check_.tiling_.Occurs(kind)) SetCells(kind);
  }

  void Draw(RandomSource& random) {
    const std::array<AxisTiling, 3>& axes = check_.tiling_.axes;
    places_ = axes[0].length * axes[1].length * axes[2].length;
    const int64_t per_set = check_.probes_ * places_ * g().out_channels;
    std::vector<float> factors(static_cast<size_t>(kMaxCheckFailures * per_set));
    for (float& factor : factors) factor = static_cast<float>(random.NextGaussian());
    CombinedWeights combined = Combine(g(), op_.weight.As<float>().data(), factors, check_.threads_);
    check_.sets_.resize(kMaxCheckFailures);
    for (int kind = 0; kind < Tiling::kKinds; ++kind) {
      if (!check_.tiling_.Occurs(kind)) continue;
      SetSquares(kind, combined.squares);
      for (int64_t i = 0; i < kMaxCheckFailures; ++i)
        SetProbes(kind, factors.data() + i * per_set, combined.sums.data() + i * check_.probes_ * places_ * combined.width,
                  check_.sets_[static_cast<size_t>(i)][static_cast<size_t>(kind)]);
    }
  }

  // Fixes the tolerance.
  void SetTolerance() {
    double terms = static_cast<double>(g().inner_count()), outputs = static_cast<double>(g().out_channels * places_);
    const RoundingModel& model = check_.model_;
    check_.relative_ = model.factor * model.unit_roundoff * std::sqrt(terms + kExtraTerms) +
                       model.operand_factor * model.operand_roundoff;
    double largest = 0;
    for (float value : op_.weight.As<float>()) largest = std::max(largest, std::abs(double{value}));
    double squares = outputs + static_cast<double>(g().in_channels) * static_cast<double>(check_.MaxCells());
    check_.absolute_ = kUnderflow * kUnderflowMargin * (terms + 1) * (1 + largest) * outputs +
                       check_.relative_ * std::sqrt(kSquareUnderflow * squares);
  }

  Freivalds Finish() && { return std::move(check_); }

 private:
  const ProbeGeometry& g() const { return check_.geometry_; }

  Side MakeSide(bool inputs) const {
    bool convolution = !std::holds_alternative<Linear>(op_.node.op);
    Side side{.inputs = inputs, .layout = inputs ? op_.x_layout : op_.y_layout};
    side.channels = inputs ? g().in_channels : g().out_channels;
    side.blocks = (side.channels + kBlock - 1) / kBlock;
    side.channels_last = !convolution || side.layout == Layout::kNhwc;
    side.direct = side.layout == Layout::kNChw16c || (side.channels_last && side.channels % kBlock == 0);
    for (size_t i = 0; i < 3; ++i) {
      side.extents[i] = inputs ? g().axes[i].in : g().axes[i].out;
      side.lowest[i] = inputs ? check_.tiling_.LowestInputs()[i] : 0;
      side.reach[i] = inputs ? check_.tiling_.InputExtents()[i] : check_.tiling_.axes[i].length;
    }
    side.image_floats = side.channels * (inputs ? g().in_positions() : g().out_positions());
    side.single = std::all_of(check_.tiling_.axes.begin(), check_.tiling_.axes.end(), [&](const AxisTiling& axis) {
      bool copied = axis.axis.kernel == 1 && axis.axis.stride == 1 && axis.axis.pad == 0 && axis.axis.in == axis.axis.out;
      return axis.length == 1 && (!inputs || copied);
    });
    return side;
  }

  // Rows of tiles are bands, so many that they are some rows of positions, and enough of those for the kernels. A matrix,
  // and what has one axis, is a single row, and is cut along it.
  void SetBands() {
    constexpr int64_t kPositions = 24, kRowsOfPositions = 4;
    const auto& axes = check_.tiling_.axes;
    bool one_row = axes[0].axis.out * axes[1].axis.out == 1;
    check_.chunk_ = std::max<int64_t>(1, one_row ? std::min(axes[2].count, kPositions) : axes[2].count);
    int64_t wanted = g().taps() > 1 ? kRowsOfPositions / axes[1].length : CeilDivide(kPositions, check_.chunk_);
    check_.band_rows_ = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, axes[1].count));
    int64_t per_plane = CeilDivide(axes[1].count, check_.band_rows_) * CeilDivide(axes[2].count, check_.chunk_);
    check_.bands_ = g().images * axes[0].count * per_plane;
  }

  // Whether the tiles' own positions of x, one for each of y, are all of x: then each counts once, in its own tile.
  bool CountsOwnInputs() const {
    if (g().transposed || !check_.model_.spreads) return false;
    return std::all_of(g().axes.begin(), g().axes.end(), [](const SlidingAxis& axis) {
      return axis.stride == 1 && axis.in == axis.out && 2 * axis.pad == (axis.kernel - 1) * axis.dilation;
    });
  }

  void ForPairs(int kind, auto&& f) const {  // every (output, tap) and the relative input that they meet at
    const auto& axes = check_.tiling_.axes;
    ForAll(check_.tiling_.LengthsOf(kind), [&](const TileCell& place) {
      int64_t tap = 0;
      ForAll({g().axes[0].kernel, g().axes[1].kernel, g().axes[2].kernel}, [&](const TileCell& taps) {
        TileCell cell{};
        bool meets = true;
        for (size_t i = 0; i < 3; ++i) {
          std::optional<int64_t> in = axes[i].Relative(place.at[i], taps.at[i]);
          meets = meets && in.has_value();
          cell.at[i] = in.value_or(0);
        }
        if (meets) f(place, tap, cell);
        ++tap;
      });
    });
  }

  int64_t PlaceIndex(const TileCell& place) const {
    const auto& axes = check_.tiling_.axes;
    return (place.at[0] * axes[1].length + place.at[1]) * axes[2].length + place.at[2];
  }

  void SetCells(int kind) {
    KindCells& cells = check_.kinds_[static_cast<size_t>(kind)];
    ForAll(check_.tiling_.LengthsOf(kind), [&](const TileCell& place) { cells.outputs.push_back(place); });
    if (CountsOwnInputs()) {
      for (TileCell cell : cells.outputs) {
        for (size_t i = 0; i < 3; ++i) cell.at[i] += g().axes[i].pad;
        cells.inputs.push_back(cell);
      }
      cells.input_squares = static_cast<int64_t>(cells.inputs.size());
    }
    std::vector<TileCell> all;
    ForPairs(kind, [&](const TileCell&, int64_t, const TileCell& cell) { all.push_back(cell); });
    std::sort(all.begin(), all.end(), [](const TileCell& a, const TileCell& b) { return a.at < b.at; });
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (const TileCell& cell : all)
      if (IndexOf(cells.inputs, cell) == static_cast<int64_t>(cells.inputs.size())) cells.inputs.push_back(cell);
    if (!CountsOwnInputs()) cells.input_squares = static_cast<int64_t>(cells.inputs.size());
  }

  // The weights of x^2 in scale^2: v of the outputs that read it in this tile, or of all where x counts once.
  void SetSquares(int kind, const std::vector<double>& squares) {
    KindCells& cells = check_.kinds_[static_cast<size_t>(kind)];
    const int64_t count = static_cast<int64_t>(cells.inputs.size()), taps = g().taps();
    cells.squares = Zeros(check_.x_side_.blocks * count * kBlock);
    auto add = [&](int64_t cell, int64_t tap) {
      for (int64_t c = 0; c < g().in_channels; ++c) {
        auto square = static_cast<float>(squares[static_cast<size_t>(c * taps + tap)]);
        Floats(cells.squares)[(c / kBlock * count + cell) * kBlock + c % kBlock] += square;
      }
    };
    if (CountsOwnInputs()) {
      for (int64_t cell = 0; cell < cells.input_squares; ++cell)
        for (int64_t tap = 0; tap < taps; ++tap) add(cell, tap);
    } else {
      ForPairs(kind, [&](const TileCell&, int64_t tap, const TileCell& cell) { add(IndexOf(cells.inputs, cell), tap); });
    }
    if (op_.bias == nullptr) return;
    for (float value : op_.bias->As<float>()) cells.bias_square += double{value} * value;
    cells.bias_square *= static_cast<double>(cells.outputs.size());
  }

  // One set of probes for the tiles of one kind: s as drawn, and W^T s rounded once.
  // factors  [probe][place][out_channels]      sums  [probe][place][in_channels][tap]
  void SetProbes(int kind, const float* factors, const double* sums, KindProbes& probes) const {
    const KindCells& cells = check_.kinds_[static_cast<size_t>(kind)];
    const int64_t outputs = static_cast<int64_t>(cells.outputs.size()), inputs = static_cast<int64_t>(cells.inputs.size());
    const int64_t taps = g().taps(), in = g().in_channels, out = g().out_channels, count = check_.probes_;
    probes.outputs = Zeros(check_.y_side_.blocks * outputs * count * kBlock);
    probes.inputs = Zeros(check_.x_side_.blocks * inputs * count * kBlock);
    std::vector<double> filter(static_cast<size_t>(inputs * in));
    for (int64_t p = 0; p < count; ++p) {
      double offset = 0;
      for (int64_t cell = 0; cell < outputs; ++cell) {
        const float* s = factors + (p * places_ + PlaceIndex(cells.outputs[static_cast<size_t>(cell)])) * out;
        for (int64_t j = 0; j < out; ++j) {
          Floats(probes.outputs)[((j / kBlock * outputs + cell) * count + p) * kBlock + j % kBlock] = s[j];
          if (op_.bias != nullptr) offset += double{s[j]} * op_.bias->As<float>()[static_cast<size_t>(j)];
        }
      }
      probes.offsets.push_back(offset);
      std::fill(filter.begin(), filter.end(), 0.0);
      ForPairs(kind, [&](const TileCell& place, int64_t tap, const TileCell& cell) {
        const double* from = sums + (p * places_ + PlaceIndex(place)) * in * taps + tap;
        double* to = filter.data() + IndexOf(cells.inputs, cell) * in;
        for (int64_t c = 0; c < in; ++c) to[c] += from[c * taps];
      });
      for (int64_t cell = 0; cell < inputs; ++cell)
        for (int64_t c = 0; c < in; ++c)
          Floats(probes.inputs)[((c / kBlock * inputs + cell) * count + p) * kBlock + c % kBlock] =
              static_cast<float>(filter[static_cast<size_t>(cell * in + c)]);
    }
  }

  const LinearOperator& op_;
  int64_t places_ = 1;  // output positions of a full tile
  Freivalds check_;
};

Freivalds Freivalds::Create(const LinearOperator& op, RoundingFamily family, int threads, RandomSource& random,
                            int probes) {
  CHECK(probes >= 1 && probes <= freivalds::kMaxProbes, "between 1 and 3 probes");
  CHECK(op.x_layout != Layout::kNChw16c || op.x_type.shape[1] % compute::kChannelBlock == 0, "padding is not checked");
  CHECK(op.y_layout != Layout::kNChw16c || op.y_type.shape[1] % compute::kChannelBlock == 0, "padding is not checked");
  Builder builder(op, family, threads, probes);
  builder.Draw(random);
  builder.SetTolerance();
  return std::move(builder).Finish();
}

}  // namespace soter
