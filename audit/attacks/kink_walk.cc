#include "audit/attacks/kink_walk.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr double kReach = 2000;      // how far the line goes, in deviations of the stage's input
constexpr double kStep = 1e-4;       // for slopes
constexpr double kSameSlope = 1e-6;  // relative
constexpr double kOnLine = 1e-7;     // relative
constexpr double kClosest = 1e-6;    // kinks nearer than this are not told apart

using Vector = std::vector<double>;

// Walker evaluates the stage along its line and counts.
class Walker {
 public:
  Walker(const StageOracle& stage, size_t width, size_t most_calls, uint64_t seed) : stage_(stage), most_calls_(most_calls) {
    std::mt19937_64 generator(seed);
    std::normal_distribution<double> normal;
    for (size_t i = 0; i < width; ++i) origin_.push_back(normal(generator)), direction_.push_back(normal(generator));
  }

  StageGuess Walk() {
    Place low = At(-kReach), high = At(kReach);
    if (!stopped_) Between(low, high);
    StageGuess guess{.calls = calls_, .refused = refused_};
    if (jumps_.empty()) return guess;
    guess.outputs = Matrix(jumps_.front().size(), jumps_.size());
    for (size_t j = 0; j < jumps_.size(); ++j)
      for (size_t i = 0; i < jumps_[j].size(); ++i) guess.outputs(i, j) = jumps_[j][i];
    return guess;
  }

 private:
  struct Place {
    double t;
    Vector value, slope;
  };

  Vector Call(double t) {
    if (stopped_ || calls_ >= most_calls_) {
      stopped_ = true;
      return {};
    }
    Vector y = origin_;
    for (size_t i = 0; i < y.size(); ++i) y[i] += t * direction_[i];
    ++calls_;
    Vector x = stage_(y);
    if (x.empty()) refused_ = stopped_ = true;
    return x;
  }

  Place At(double t) {
    Vector value = Call(t), above = Call(t + kStep), below = Call(t - kStep), slope;
    if (stopped_) return {t, {}, {}};
    for (size_t i = 0; i < value.size(); ++i) slope.push_back((above[i] - below[i]) / (2 * kStep));
    return {t, value, slope};
  }

  // Between finds the kinks between two places: none if the slopes agree, one if the two lines meet on the function,
  // else both halves are searched.
  void Between(const Place& a, const Place& b) {
    Vector jump, offset;
    for (size_t i = 0; i < a.slope.size(); ++i) {
      jump.push_back(a.slope[i] - b.slope[i]);
      offset.push_back((b.value[i] - b.slope[i] * b.t) - (a.value[i] - a.slope[i] * a.t));
    }
    if (Norm(jump) < kSameSlope * (1 + Norm(a.slope))) return;
    double t = Dot(jump, offset) / Dot(jump, jump);
    if (a.t < t && t < b.t && OnLine(a, t)) {
      if (!stopped_) jumps_.push_back(jump);
      return;
    }
    if (stopped_ || b.t - a.t < kClosest) return;
    Place middle = At((a.t + b.t) / 2);
    if (stopped_) return;
    Between(a, middle);
    if (!stopped_) Between(middle, b);
  }

  bool OnLine(const Place& a, double t) {
    Vector value = Call(t);
    if (stopped_) return false;
    for (size_t i = 0; i < value.size(); ++i) value[i] -= a.value[i] + a.slope[i] * (t - a.t);
    return Norm(value) < kOnLine * (1 + Norm(a.value));
  }

  const StageOracle& stage_;
  size_t most_calls_, calls_ = 0;
  bool stopped_ = false, refused_ = false;
  Vector origin_, direction_;
  std::vector<Vector> jumps_;
};

}  // namespace

StageGuess WalkKinks(const StageOracle& stage, size_t width, size_t most_calls, uint64_t seed) {
  return Walker(stage, width, most_calls, seed).Walk();
}

Matrix SolveStageRows(const Matrix& columns, const Matrix& inputs, const Matrix& outputs) {
  Matrix hidden = TimesTransposed(outputs, PseudoInverse(columns));  // [samples, units], each up to sign and scale
  Matrix rows(hidden.columns(), inputs.columns() + 1);
  for (size_t unit = 0; unit < hidden.columns(); ++unit) {
    double sum = 0, most = 0;
    for (size_t i = 0; i < hidden.rows(); ++i) sum += hidden(i, unit), most = std::max(most, std::abs(hidden(i, unit)));
    double sign = sum < 0 ? -1 : 1;
    std::vector<size_t> active;
    for (size_t i = 0; i < hidden.rows(); ++i)
      if (sign * hidden(i, unit) > 1e-3 * most) active.push_back(i);
    if (active.size() <= inputs.columns()) continue;
    Matrix a = BesideEachOther(Rows(inputs, active), Matrix(active.size(), 1, 1.0)), b(active.size(), 1);
    for (size_t i = 0; i < active.size(); ++i) b(i, 0) = sign * hidden(active[i], unit);
    Matrix solution = LeastSquares(a, b);
    std::ranges::copy(solution.values(), rows.row(unit).begin());
  }
  return rows;
}

}  // namespace soter::audit
