#include "audit/attacks/two_layers.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "audit/linear/draw.h"

namespace soter::audit {
namespace {

constexpr double kOneKink = 0.2;       // the second singular value of a jump, as a share of the first
constexpr double kStepShare = 0.25;    // of the distance to the nearest kink along a coordinate
constexpr double kMargin = 2;          // distance of every unit from its kink, for inputs of size 1
constexpr double kLeastInput = 0.05;
constexpr int kStands = 2;             // points to walk from, for units that did not show from the one before
constexpr int kProjections = 400;
constexpr double kNearEnough = 0.2;    // of the margin

Matrix WithoutBias(const Matrix& a) {
  Matrix weight(a.rows(), a.columns() - 1);
  for (size_t i = 0; i < a.rows(); ++i) std::ranges::copy(a.row(i).first(weight.columns()), weight.row(i).begin());
  return weight;
}

// Piece is the affine piece of the stage around a point: slope z + offset.
struct Piece {
  Matrix slope;                // [m, n]
  std::vector<double> offset;  // [m]
};

class Walker {
 public:
  Walker(const RowsOracle& stage, const TwoLayers& ancestor, uint64_t seed)
      : stage_(stage), ancestor_(ancestor), weight_(WithoutBias(ancestor.first)), draw_(seed),
        mover_(PseudoInverse(weight_)) {}

  Result<TwoLayersWalk> Walk(size_t most_units) {
    TwoLayersWalk walk{.found = ancestor_};
    std::vector<bool> known(weight_.rows());
    size_t wanted = std::min(most_units, weight_.rows());
    for (int stand = 0; stand < kStands && walk.units < wanted; ++stand) {
      if (!Stand()) continue;
      Piece base = TRY(PieceAt(point_));
      for (size_t unit = 0; unit < wanted; ++unit) {
        if (known[unit]) continue;
        std::vector<double> sides = sides_;
        sides[unit] = -sides[unit];
        std::optional<std::vector<double>> beyond = PointWith(sides, point_);
        if (!beyond.has_value()) continue;
        known[unit] = Learn(unit, base, TRY(PieceAt(*beyond)), walk.found);
        walk.units += known[unit];
      }
      if (walk.units == weight_.rows()) SetLastBias(base, walk.found);
    }
    walk.rows = rows_;
    return walk;
  }

 private:
  std::vector<double> PreActivations(std::span<const double> z) const {
    std::vector<double> pre;
    for (size_t i = 0; i < weight_.rows(); ++i) pre.push_back(Dot(weight_.row(i), z) + ancestor_.first(i, weight_.columns()));
    return pre;
  }

  // Stand finds a point where no input is negative and every unit of the ancestor is far from its kink, each on the side
  // on which it is at a random point. What fine-tuning changed moves units by less than that.
  bool Stand() {
    sides_.clear();
    std::vector<double> start;
    for (size_t k = 0; k < weight_.columns(); ++k) start.push_back(draw_.Uniform(0.5, 1.5));
    for (double value : PreActivations(start)) sides_.push_back(value > 0 ? 1 : -1);
    std::optional<std::vector<double>> point = PointWith(sides_, start);
    if (point.has_value()) point_ = std::move(*point);
    return point.has_value();
  }

  // PointWith looks near `start` for a point with every unit at its side, by projections on both conditions in turn.
  std::optional<std::vector<double>> PointWith(std::span<const double> sides, std::vector<double> z) const {
    for (int round = 0; round < kProjections; ++round) {
      std::vector<double> off = PreActivations(z);
      double worst = 0;
      for (size_t i = 0; i < off.size(); ++i) {
        off[i] = sides[i] * Margin(i) - off[i];
        worst = std::max(worst, std::abs(off[i]) / Margin(i));
      }
      if (worst < kNearEnough) return z;
      for (size_t k = 0; k < z.size(); ++k) z[k] = std::max(kLeastInput, z[k] + Dot(mover_.row(k), off));
    }
    return std::nullopt;
  }

  double Margin(size_t unit) const { return kMargin * Norm(weight_.row(unit)); }

  // PieceAt measures slope and offset by one step along each coordinate, too short for any kink.
  Result<Piece> PieceAt(std::span<const double> z) {
    size_t n = z.size();
    double step = INFINITY;
    for (size_t i = 0; i < weight_.rows(); ++i)
      for (double value : weight_.row(i)) step = std::min(step, kStepShare * Margin(i) / std::abs(value));
    Matrix inputs(n + 1, n);
    for (size_t i = 0; i <= n; ++i) {
      std::ranges::copy(z, inputs.row(i).begin());
      if (i < n) inputs(i, i) += step;
    }
    Matrix values = TRY(stage_(inputs));
    rows_ += inputs.rows();
    Piece piece{Matrix(values.columns(), n), {}};
    for (size_t i = 0; i < values.columns(); ++i) {
      for (size_t k = 0; k < n; ++k) piece.slope(i, k) = (values(k, i) - values(n, i)) / step;
      piece.offset.push_back(values(n, i) - Dot(piece.slope.row(i), z));
    }
    return piece;
  }

  // Learn takes one unit from the jump between two pieces; false where more than one kink lies between them, or none.
  bool Learn(size_t unit, const Piece& base, const Piece& beyond, TwoLayers& found) const {
    size_t n = weight_.columns(), m = base.slope.rows();
    double sign = sides_[unit] > 0 ? -1 : 1;  // beyond the kink the unit is off, or on
    Svd jump = Decompose(sign * (beyond.slope - base.slope));
    if (jump.s[0] == 0 || (jump.s.size() > 1 && jump.s[1] > kOneKink * jump.s[0])) return 0;
    double along = Dot(jump.vt.row(0), weight_.row(unit));
    if (std::abs(along) < 0.5 * Norm(weight_.row(unit))) return false;  // somebody else's kink
    // As long as it is when what fine-tuning changed stands at right angles to the ancestor's row, as a random change does.
    double length = Dot(weight_.row(unit), weight_.row(unit)) / along, power = 0, bias = 0;
    for (size_t k = 0; k < n; ++k) found.first(unit, k) = length * jump.vt(0, k);
    for (size_t i = 0; i < m; ++i) {
      double column = jump.s[0] * jump.u(i, 0) / length;
      found.second(i, unit) = column;
      power += column * column, bias += column * sign * (beyond.offset[i] - base.offset[i]);
    }
    found.first(unit, n) = bias / power;
    return true;
  }

  // With all units known, what is left of the offset is the second layer's own.
  void SetLastBias(const Piece& base, TwoLayers& found) const {
    size_t h = weight_.rows();
    for (size_t i = 0; i < found.second.rows(); ++i) {
      double rest = base.offset[i];
      for (size_t unit = 0; unit < h; ++unit)
        if (sides_[unit] > 0) rest -= found.second(i, unit) * found.first(unit, weight_.columns());
      found.second(i, h) = rest;
    }
  }

  const RowsOracle& stage_;
  const TwoLayers& ancestor_;
  Matrix weight_;
  Draw draw_;
  Matrix mover_;               // [n, h]: what moves one pre-activation alone
  std::vector<double> point_, sides_;
  size_t rows_ = 0;
};

}  // namespace

Result<TwoLayersWalk> WalkTwoLayers(const RowsOracle& stage, const TwoLayers& ancestor, size_t most_units, uint64_t seed) {
  return Walker(stage, ancestor, seed).Walk(most_units);
}

}  // namespace soter::audit
