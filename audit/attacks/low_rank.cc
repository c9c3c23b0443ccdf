#include "audit/attacks/low_rank.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/per_operator.h"
#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr size_t kMostRank = 16;
constexpr double kGap = 3;  // between neighbouring singular values, for a mask to end there
constexpr int kRounds = 50;

// MaskRank is where the spectrum falls by the largest factor, if that is a gap.
size_t MaskRank(std::span<const double> s, size_t most) {
  size_t rank = 0;
  double widest = kGap;
  for (size_t k = 0; k < std::min(most, s.size() - 1); ++k)
    if (s[k + 1] > 0 && s[k] / s[k + 1] > widest) widest = s[k] / s[k + 1], rank = k + 1;
  return rank;
}

struct RowFit {
  double a, b;
};

// FitRow solves seen = a plain + b v.
RowFit FitRow(std::span<const double> seen, std::span<const double> plain, std::span<const double> v) {
  double pp = Dot(plain, plain), pv = Dot(plain, v), vv = Dot(v, v), ps = Dot(plain, seen), vs = Dot(v, seen);
  double determinant = pp * vv - pv * pv;
  if (determinant <= 1e-12 * pp * vv) return {pp > 0 ? ps / pp : 0, 0};
  return {(ps * vv - vs * pv) / determinant, (vs * pp - ps * pv) / determinant};
}

}  // namespace

Matrix PeelLowRank(const Matrix& seen, const Matrix& ancestor, size_t most) {
  Matrix residual = seen - ancestor;
  Svd svd = Decompose(residual);
  size_t rank = MaskRank(svd.s, most);
  for (size_t i = 0; i < residual.rows(); ++i)
    for (size_t j = 0; j < residual.columns(); ++j)
      for (size_t k = 0; k < rank; ++k) residual(i, j) -= svd.u(i, k) * svd.s[k] * svd.vt(k, j);
  return ancestor + residual;
}

Matrix PeelSharedDirection(const Matrix& seen, const Matrix& ancestor) {
  size_t m = seen.rows(), n = seen.columns();
  std::vector<RowFit> fits(m);
  Svd first = Decompose(seen);
  std::vector<double> v(first.vt.row(0).begin(), first.vt.row(0).end());
  for (int round = 0; round < kRounds; ++round) {
    Matrix residual = seen;
    for (size_t i = 0; i < m; ++i) {
      fits[i] = FitRow(seen.row(i), ancestor.row(i), v);
      for (size_t j = 0; j < n; ++j) residual(i, j) -= fits[i].a * ancestor(i, j);
    }
    Svd svd = Decompose(residual);
    double change = 1 - std::abs(Cosine(svd.vt.row(0), v));
    v.assign(svd.vt.row(0).begin(), svd.vt.row(0).end());
    if (change < 1e-12) break;
  }
  Matrix plain = seen;
  for (size_t i = 0; i < m; ++i)
    for (size_t j = 0; j < n; ++j)
      plain(i, j) = fits[i].a != 0 ? (seen(i, j) - fits[i].b * v[j]) / fits[i].a : ancestor(i, j);
  return plain;
}

Result<Guess> RecoverLowRank(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return kMostRank * (RowsOf(layer) + ColumnsOf(layer)); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    return PeelLowRank(seen, ancestor.weight, kMostRank);
  });
}

Result<Guess> RecoverSharedDirection(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return 2 * RowsOf(layer) + ColumnsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    return PeelSharedDirection(seen, ancestor.weight);
  });
}

}  // namespace soter::audit
