#include "audit/attacks/permutation.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/per_operator.h"
#include "audit/linear/assignment.h"

namespace soter::audit {
namespace {

constexpr int kRounds = 12;
constexpr size_t kMostToMatch = 512;  // the cost of an assignment grows with the cube

// SquaredCosines between the rows of a (of the result's rows) and of b (columns).
Matrix SquaredCosines(const Matrix& a, const Matrix& b) {
  Matrix products = TimesTransposed(a, b);
  for (size_t i = 0; i < a.rows(); ++i)
    for (size_t j = 0; j < b.rows(); ++j) {
      double norms = Norm(a.row(i)) * Norm(b.row(j));
      double cosine = norms > 0 ? products(i, j) / norms : 0;
      products(i, j) = cosine * cosine;
    }
  return products;
}

// ScaledRows puts the seen rows into the ancestor's order, each scaled to fit its ancestor.
Matrix ScaledRows(const Matrix& seen, const Matrix& ancestor, std::span<const size_t> order) {
  Matrix rows = Rows(seen, order);
  for (size_t i = 0; i < rows.rows(); ++i) {
    double power = Dot(rows.row(i), rows.row(i)), factor = power > 0 ? Dot(rows.row(i), ancestor.row(i)) / power : 0;
    for (double& value : rows.row(i)) value *= factor;
  }
  return rows;
}

// Profiles replaces each row by its sorted magnitudes without their mean: what stays when columns change places.
Matrix Profiles(const Matrix& a) {
  Matrix profiles = a;
  for (size_t i = 0; i < a.rows(); ++i) {
    double norm = Norm(a.row(i)), mean = 0;
    for (double& value : profiles.row(i)) value = norm > 0 ? std::abs(value) / norm : 0;
    std::ranges::sort(profiles.row(i));
    for (double value : profiles.row(i)) mean += value / static_cast<double>(a.columns());
    for (double& value : profiles.row(i)) value -= mean;
  }
  return profiles;
}

Matrix ByInput(const Matrix& weight, size_t taps) {  // [channels, m taps]
  return Transposed(ByChannels(weight, taps));
}
Matrix FromInput(const Matrix& by_input, size_t taps) { return ByRows(Transposed(by_input), taps); }

// BalancedRows scales rows to norm 1, so that unknown factors of one side do not spoil the profiles of the other.
Matrix BalancedRows(Matrix a) {
  for (size_t i = 0; i < a.rows(); ++i) {
    double norm = Norm(a.row(i));
    for (double& value : a.row(i)) value = norm > 0 ? value / norm : 0;
  }
  return a;
}

}  // namespace

Matrix MatchRows(const Matrix& seen, const Matrix& ancestor) {
  return ScaledRows(seen, ancestor, Assign(SquaredCosines(ancestor, seen)));
}

Matrix MatchRowsAndChannels(const Matrix& seen, const Matrix& ancestor, size_t taps) {
  Matrix seen_profiles = Profiles(FromInput(BalancedRows(ByInput(seen, taps)), taps));
  Matrix known_profiles = Profiles(FromInput(BalancedRows(ByInput(ancestor, taps)), taps));
  Matrix current = ScaledRows(seen, ancestor, Assign(SquaredCosines(known_profiles, seen_profiles)));
  Matrix best = current, known_by_input = ByInput(ancestor, taps);
  double best_cosine = 0;
  for (int round = 0; round < kRounds; ++round) {
    current = FromInput(MatchRows(ByInput(current, taps), known_by_input), taps);
    current = MatchRows(current, ancestor);
    double cosine = Cosine(current.values(), ancestor.values());
    if (cosine <= best_cosine + 1e-9) break;
    best = current, best_cosine = cosine;
  }
  return best;
}

Result<Guess> RecoverRowPermutations(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return RowsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    return MatchRows(seen, ancestor.weight);
  });
}

Result<Guess> RecoverBothPermutations(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return RowsOf(layer) + ChannelsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    if (std::max(seen.rows(), seen.columns() / ancestor.taps) > kMostToMatch) return std::nullopt;
    return MatchRowsAndChannels(seen, ancestor.weight, ancestor.taps);
  });
}

}  // namespace soter::audit
