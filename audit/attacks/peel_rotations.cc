#include <algorithm>
#include <cmath>
#include <tuple>

#include "audit/attacks/additive.h"
#include "audit/linear/assignment.h"
#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr double kNoise = 0.05;       // a smaller entry of a singular vector counts as zero
constexpr size_t kMostToPair = 512;    // every pair of rows is compared
constexpr int kMostStages = 12;
constexpr int kRefinements = 400;
constexpr double kSettled = 1e-7;     // of the norm that is left, between rounds
constexpr double kNearlyOne = 1.5;    // entries left for each column when all stages are peeled
constexpr double kShrinks = 0.8;      // a stage that was turned back leaves fewer entries than this share

// Stage is one layer of plane rotations: pairs (i, j) and the angle that mixes them.
struct Turn {
  size_t i, j;
  double cosine = 1, sine = 0;
};
using Stage = std::vector<Turn>;

// Rotate applies a stage to the rows of a: row i becomes c i - s j, row j becomes s i + c j.
void Rotate(const Stage& stage, Matrix& a) {
  for (const Turn& turn : stage)
    for (size_t k = 0; k < a.columns(); ++k) {
      double x = a(turn.i, k), y = a(turn.j, k);
      a(turn.i, k) = turn.cosine * x - turn.sine * y;
      a(turn.j, k) = turn.sine * x + turn.cosine * y;
    }
}

Stage Inverse(Stage stage) {
  for (Turn& turn : stage) turn.sine = -turn.sine;
  return stage;
}

std::vector<bool> Support(std::span<const double> row) {
  std::vector<bool> support;
  for (double value : row) support.push_back(std::abs(value) > kNoise);
  return support;
}

// AngleThatEmpties returns the rotation after which the two rows share as little as possible: the angle of the pair of
// entries that is largest, at which the first row loses it.
Turn AngleThatEmpties(const Matrix& q, size_t i, size_t j) {
  Turn best{i, j};
  double least = INFINITY;
  for (size_t k = 0; k < q.columns(); ++k) {
    double radius = std::hypot(q(i, k), q(j, k));
    if (radius < 4 * kNoise) continue;
    Turn turn{i, j, q(j, k) / radius, q(i, k) / radius};  // makes row i zero at k
    double overlap = 0;
    for (size_t l = 0; l < q.columns(); ++l) {
      double x = turn.cosine * q(i, l) - turn.sine * q(j, l), y = turn.sine * q(i, l) + turn.cosine * q(j, l);
      overlap += std::abs(x * y);
    }
    if (overlap < least) least = overlap, best = turn;
  }
  return best;
}

size_t Entries(const Matrix& q) {
  return static_cast<size_t>(std::ranges::count_if(q.values(), [](double v) { return std::abs(v) > kNoise; }));
}

// Likeness of two rows' supports: 1 for rows that the last stage mixed, at most about half for others.
double SupportLikeness(const std::vector<bool>& a, const std::vector<bool>& b) {
  size_t both = 0, either = 0;
  for (size_t k = 0; k < a.size(); ++k) both += a[k] && b[k], either += a[k] || b[k];
  return either > 0 ? static_cast<double>(both) / static_cast<double>(either) : 0;
}

// PeelStage finds the pairing of the last stage, best partners first, and turns it back. Empty where that leaves as
// many entries as before: then there was no such stage, or too many for the partners to show.
std::optional<Stage> PeelStage(Matrix& q) {
  std::vector<std::vector<bool>> supports;
  for (size_t i = 0; i < q.rows(); ++i) supports.push_back(Support(q.row(i)));
  std::vector<std::tuple<double, size_t, size_t>> candidates;
  for (size_t i = 0; i < q.rows(); ++i)
    for (size_t j = i + 1; j < q.rows(); ++j)
      if (double likeness = SupportLikeness(supports[i], supports[j]); likeness > 0) candidates.push_back({-likeness, i, j});
  std::ranges::sort(candidates);
  std::vector<bool> taken(q.rows());
  Stage stage;
  for (auto [likeness, i, j] : candidates) {
    if (taken[i] || taken[j]) continue;
    taken[i] = taken[j] = true;
    stage.push_back(AngleThatEmpties(q, i, j));
  }
  size_t before = Entries(q);
  Rotate(stage, q);
  if (static_cast<double>(Entries(q)) > kShrinks * static_cast<double>(before)) return std::nullopt;
  return stage;
}

// NearestPermutation keeps of each column one entry, as plus or minus 1. Singular values that lie close mix their vectors a
// little, so a few entries too many are no reason to give up.
Matrix NearestPermutation(const Matrix& q) {
  Matrix gain = q, permutation(q.rows(), q.columns());
  for (double& value : gain.values()) value = std::abs(value);
  std::vector<size_t> row_of = Assign(Transposed(gain));
  for (size_t j = 0; j < q.columns(); ++j) permutation(row_of[j], j) = std::copysign(1.0, q(row_of[j], j));
  return permutation;
}

// Factors is a matrix with orthonormal columns as stages (applied to rows in order) of a signed permutation.
struct Factors {
  Matrix permutation;
  std::vector<Stage> stages;
};

std::optional<Factors> Factor(Matrix q) {
  Factors factors;
  while (static_cast<double>(Entries(q)) > kNearlyOne * static_cast<double>(q.columns())) {
    if (factors.stages.size() >= kMostStages) return std::nullopt;
    std::optional<Stage> stage = PeelStage(q);
    if (!stage.has_value()) return std::nullopt;
    factors.stages.insert(factors.stages.begin(), Inverse(*stage));
  }
  factors.permutation = NearestPermutation(q);
  return factors;
}

Matrix Product(const Factors& factors) {
  Matrix q = factors.permutation;
  for (const Stage& stage : factors.stages) Rotate(stage, q);
  return q;
}

// FitAngles makes stage after stage the best one for target = Q core, the others kept: an orthogonal change on the left
// turns the problem into one rotation for each pair of rows.
void FitAngles(Factors& factors, const Matrix& target, const Matrix& core) {
  Matrix left = target;
  for (size_t s = factors.stages.size(); s-- > 0;) {
    Matrix right = factors.permutation * core;
    for (size_t r = 0; r < s; ++r) Rotate(factors.stages[r], right);
    for (Turn& turn : factors.stages[s]) {
      double along = Dot(left.row(turn.i), right.row(turn.i)) + Dot(left.row(turn.j), right.row(turn.j));
      double across = Dot(left.row(turn.j), right.row(turn.i)) - Dot(left.row(turn.i), right.row(turn.j));
      double radius = std::hypot(along, across);
      if (radius > 0) turn.cosine = along / radius, turn.sine = across / radius;
    }
    Rotate(Inverse(factors.stages[s]), left);
  }
}

Matrix Diagonal(std::span<const double> values, const Matrix& right) {
  Matrix y = right;
  for (size_t i = 0; i < y.rows(); ++i)
    for (double& value : y.row(i)) value *= values[i];
  return y;
}

}  // namespace

std::optional<Matrix> PeelRotations(const Matrix& seen, const Matrix& ancestor) {
  if (std::max(seen.rows(), seen.columns()) > kMostToPair) return std::nullopt;
  Matrix residual = seen - ancestor;
  Svd svd = Decompose(residual);
  std::optional<Factors> left = Factor(svd.u), right = Factor(Transposed(svd.vt));
  if (!left.has_value() || !right.has_value()) return std::nullopt;
  double before = INFINITY;
  for (int round = 0; round < kRefinements; ++round) {
    double left_over = Norm(residual - Product(*left) * Diagonal(svd.s, Transposed(Product(*right))));
    if (round > 0 && left_over > (1 - kSettled) * before) break;
    before = left_over;
    Matrix q1 = Product(*left), q2 = Product(*right);  // residual = q1 diag(s) q2^T
    Matrix middle = TransposedTimes(q1, residual) * q2;
    for (size_t k = 0; k < svd.s.size(); ++k) svd.s[k] = middle(k, k);
    FitAngles(*left, residual, Diagonal(svd.s, Transposed(q2)));
    q1 = Product(*left);
    FitAngles(*right, Transposed(residual), Diagonal(svd.s, Transposed(q1)));
  }
  return seen - Product(*left) * Diagonal(svd.s, Transposed(Product(*right)));
}

}  // namespace soter::audit
