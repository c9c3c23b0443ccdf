#include <algorithm>
#include <cmath>
#include <tuple>

#include "audit/attacks/additive.h"
#include "audit/linear/assignment.h"
#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

// A smaller entry of a singular vector counts as zero: which of these fits best is tried.
constexpr double kNoises[] = {0.08, 0.05, 0.03, 0.015, 0.007, 0.002};
constexpr double kFarAway = 8;         // medians of the change
constexpr size_t kSmall = 32;         // columns; larger matrices that are half full are not looked at
constexpr double kLeastLikeness = 0.3;
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

std::vector<bool> Support(std::span<const double> row, double noise) {
  std::vector<bool> support;
  for (double value : row) support.push_back(std::abs(value) > noise);
  return support;
}

// AngleThatEmpties returns the rotation after which the two rows share as little as possible: the angle of the pair of
// entries that is largest, at which the first row loses it.
Turn AngleThatEmpties(const Matrix& q, size_t i, size_t j, double noise) {
  Turn best{i, j};
  double least = INFINITY;
  for (size_t k = 0; k < q.columns(); ++k) {
    double radius = std::hypot(q(i, k), q(j, k));
    if (radius < 4 * noise) continue;
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

size_t Entries(const Matrix& q, double noise) {
  return static_cast<size_t>(std::ranges::count_if(q.values(), [noise](double v) { return std::abs(v) > noise; }));
}

// Likeness of two rows' supports: 1 for rows that the last stage mixed, at most about half for others.
double SupportLikeness(const std::vector<bool>& a, const std::vector<bool>& b) {
  size_t both = 0, either = 0;
  for (size_t k = 0; k < a.size(); ++k) both += a[k] && b[k], either += a[k] || b[k];
  return either > 0 ? static_cast<double>(both) / static_cast<double>(either) : 0;
}

// Candidate is a pair of rows that may be partners: how many entries they have left when turned back.
struct Candidate {
  double left, unlikeness;
  Turn turn;
};

size_t EntriesOf(const Matrix& q, const Turn& turn, double noise) {
  size_t entries = 0;
  for (size_t k = 0; k < q.columns(); ++k) {
    double x = q(turn.i, k), y = q(turn.j, k);
    entries += (std::abs(turn.cosine * x - turn.sine * y) > noise) + (std::abs(turn.sine * x + turn.cosine * y) > noise);
  }
  return entries;
}

std::vector<Candidate> Candidates(const Matrix& q, double noise) {
  std::vector<std::vector<bool>> supports;
  for (size_t i = 0; i < q.rows(); ++i) supports.push_back(Support(q.row(i), noise));
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < q.rows(); ++i)
    for (size_t j = i + 1; j < q.rows(); ++j) {
      double likeness = SupportLikeness(supports[i], supports[j]);
      if (likeness < kLeastLikeness) continue;
      Turn turn = AngleThatEmpties(q, i, j, noise);
      double before = static_cast<double>(EntriesOf(q, {i, j}, noise));
      candidates.push_back({static_cast<double>(EntriesOf(q, turn, noise)) / before, -likeness, turn});
    }
  return candidates;
}

// PeelStage finds the pairing of the last stage, best partners first, and turns it back: true partners lose half of their
// entries, others whose support is the same one or two. Empty where that leaves as many entries as before: then there
// was no such stage, or too many for the partners to show.
std::optional<Stage> PeelStage(Matrix& q, double noise) {
  std::vector<Candidate> candidates = Candidates(q, noise);
  std::ranges::sort(candidates, {}, [](const Candidate& c) { return std::tuple(c.left, c.unlikeness, c.turn.i, c.turn.j); });
  std::vector<bool> taken(q.rows());
  Stage stage;
  for (const Candidate& candidate : candidates) {
    if (taken[candidate.turn.i] || taken[candidate.turn.j]) continue;
    taken[candidate.turn.i] = taken[candidate.turn.j] = true;
    stage.push_back(candidate.turn);
  }
  size_t before = Entries(q, noise);
  Rotate(stage, q);
  if (static_cast<double>(Entries(q, noise)) > kShrinks * static_cast<double>(before)) return std::nullopt;
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

std::optional<Factors> Factor(Matrix q, double noise) {
  if (q.columns() > kSmall && 2 * Entries(q, noise) > q.values().size()) return std::nullopt;  // no partners show
  Factors factors;
  while (static_cast<double>(Entries(q, noise)) > kNearlyOne * static_cast<double>(q.columns())) {
    if (factors.stages.size() >= kMostStages) return std::nullopt;
    std::optional<Stage> stage = PeelStage(q, noise);
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

// Fit is the mask as far as one threshold explains it, and what is left of the residual.
struct Fit {
  Matrix mask;
  double left_over = INFINITY;
};

// FitFactors refines the angles of both factors and the spectrum in turn until they settle.
Fit FitFactors(const Matrix& residual, std::vector<double> spectrum, Factors left, Factors right) {
  Fit fit;
  for (int round = 0; round < kRefinements; ++round) {
    Matrix q1 = Product(left), q2 = Product(right);  // residual = q1 diag(s) q2^T
    Matrix mask = q1 * Diagonal(spectrum, Transposed(q2));
    double left_over = Norm(residual - mask);
    bool settled = left_over > (1 - kSettled) * fit.left_over;
    if (left_over < fit.left_over) fit = {std::move(mask), left_over};
    if (settled) break;
    Matrix middle = TransposedTimes(q1, residual) * q2;
    for (size_t k = 0; k < spectrum.size(); ++k) spectrum[k] = middle(k, k);
    FitAngles(left, residual, Diagonal(spectrum, Transposed(q2)));
    q1 = Product(left);
    FitAngles(right, Transposed(residual), Diagonal(spectrum, Transposed(q1)));
  }
  return fit;
}

// Plausible leaves at the ancestor what ended far from it beside all other elements: there two rows were paired wrongly.
Matrix Plausible(Matrix guess, const Matrix& ancestor) {
  std::vector<double> changes;
  for (double value : (guess - ancestor).values()) changes.push_back(std::abs(value));
  auto middle = changes.begin() + static_cast<ptrdiff_t>(changes.size() / 2);
  std::nth_element(changes.begin(), middle, changes.end());
  for (size_t i = 0; i < guess.values().size(); ++i)
    if (std::abs(guess.values()[i] - ancestor.values()[i]) > kFarAway * *middle) guess.values()[i] = ancestor.values()[i];
  return guess;
}

}  // namespace

std::optional<Matrix> PeelRotations(const Matrix& seen, const Matrix& ancestor) {
  if (std::max(seen.rows(), seen.columns()) > kMostToPair) return std::nullopt;
  Matrix residual = seen - ancestor;
  Svd svd = Decompose(residual);
  Fit best;
  for (double noise : kNoises) {
    std::optional<Factors> left = Factor(svd.u, noise), right = Factor(Transposed(svd.vt), noise);
    if (!left.has_value() || !right.has_value()) continue;
    Fit fit = FitFactors(residual, svd.s, std::move(*left), std::move(*right));
    if (fit.left_over < best.left_over) best = std::move(fit);
  }
  if (best.mask.empty()) return std::nullopt;
  return Plausible(seen - best.mask, ancestor);
}

}  // namespace soter::audit
