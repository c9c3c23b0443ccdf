#include "audit/attacks/mixing.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "audit/attacks/per_operator.h"
#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr size_t kGroup = 4;           // GroupCover's
constexpr double kPlain = 0.5;         // a cosine at which nothing was mixed
constexpr size_t kMostChannels = 512;  // the cost of Procrustes grows with their cube
constexpr size_t kMostForSolver = 64;  // rows: the shared-mix solver's cost grows with their cube and the pairs of taps

// Strongest are the `count` seen rows whose coefficients in row i of k stand out most from their own error, which is
// large for the rows of an ill-conditioned group: the norm of the pseudo-inverse's column.
std::vector<size_t> Strongest(const Matrix& k, std::span<const double> errors, size_t i, size_t count) {
  std::vector<size_t> order(k.columns());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, std::greater<>(), [&](size_t j) { return std::abs(k(i, j)) / errors[j]; });
  order.resize(std::min(count, order.size()));
  return order;
}

}  // namespace

Matrix UnmixRows(const Matrix& seen, const Matrix& ancestor) { return ancestor * PseudoInverse(seen) * seen; }

Matrix UnmixGroups(const Matrix& seen, const Matrix& ancestor, size_t group) {
  Matrix inverse = PseudoInverse(seen), k = ancestor * inverse, plain(seen.rows(), seen.columns());
  std::vector<double> errors;
  for (size_t j = 0; j < seen.rows(); ++j) errors.push_back(Norm(inverse.column(j)) + 1e-300);
  for (size_t i = 0; i < seen.rows(); ++i) {
    size_t row = i;
    Matrix members = Rows(seen, Strongest(k, errors, i, group));
    Matrix target = Transposed(Rows(ancestor, std::span(&row, 1)));
    Matrix fitted = TransposedTimes(LeastSquares(Transposed(members), target), members);
    std::ranges::copy(fitted.values(), plain.row(i).begin());
  }
  return plain;
}

Matrix UnrotateInputs(const Matrix& seen, const Matrix& ancestor, size_t taps) {
  Matrix mixed = ByChannels(seen, taps), known = ByChannels(ancestor, taps);
  return ByRows(mixed * NearestOrthogonal(TransposedTimes(mixed, known)), taps);
}

Result<Guess> RecoverGroups(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return kGroup * RowsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    return UnmixGroups(seen, ancestor.weight, kGroup);
  });
}

Result<Guess> RecoverDenseMix(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return RowsOf(layer) * RowsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    if (seen.rows() >= seen.columns()) return std::nullopt;  // as many unknowns as equations: nothing is learned
    return UnmixRows(seen, ancestor.weight);
  });
}

Result<Guess> RecoverRotation(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return ChannelsOf(layer) * ChannelsOf(layer) / 2; };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    if (seen.columns() / ancestor.taps > kMostChannels) return std::nullopt;
    return UnrotateInputs(seen, ancestor.weight, ancestor.taps);
  });
}

Result<Guess> RecoverSharedMix(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return (RowsOf(layer) * RowsOf(layer) + ChannelsOf(layer) * ChannelsOf(layer)) / 2; };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    bool plain = std::abs(Cosine(seen.values(), ancestor.weight.values())) > kPlain;
    if (ancestor.taps < 2 || seen.rows() > kMostForSolver || plain) return std::nullopt;
    return UnrotateBoth(seen, ancestor.weight, ancestor.taps);
  });
}

}  // namespace soter::audit
