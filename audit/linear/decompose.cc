#include "audit/linear/decompose.h"

#include <lapacke.h>

#include <algorithm>

#include "common/base/check.h"

namespace soter::audit {
namespace {

lapack_int Int(size_t n) { return static_cast<lapack_int>(n); }

Matrix Scaled(const Matrix& a, std::span<const double> factors) {  // a diag(factors)
  Matrix y = a;
  for (size_t i = 0; i < y.rows(); ++i)
    for (size_t j = 0; j < y.columns(); ++j) y(i, j) *= factors[j];
  return y;
}

}  // namespace

Svd Decompose(const Matrix& a) {
  size_t k = std::min(a.rows(), a.columns());
  Svd svd{Matrix(a.rows(), k), std::vector<double>(k), Matrix(k, a.columns())};
  if (k == 0) return svd;
  Matrix copy = a;
  lapack_int failed =
      LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', Int(a.rows()), Int(a.columns()), copy.values().data(), Int(a.columns()),
                     svd.s.data(), svd.u.values().data(), Int(k), svd.vt.values().data(), Int(a.columns()));
  CHECK(failed == 0, "the singular value decomposition did not converge");
  return svd;
}

SymmetricEigen DecomposeSymmetric(const Matrix& a) {
  CHECK(a.rows() == a.columns(), "a symmetric matrix is square");
  SymmetricEigen eigen{std::vector<double>(a.rows()), a};
  lapack_int failed = LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'U', Int(a.rows()), eigen.vectors.values().data(),
                                     Int(a.rows()), eigen.values.data());
  CHECK(failed == 0, "the eigenvalue decomposition did not converge");
  return eigen;
}

Matrix LeastSquares(const Matrix& a, const Matrix& b) {
  CHECK(a.rows() == b.rows(), "least squares needs as many answers as rows");
  Matrix copy = a;
  Matrix x(std::max(a.rows(), a.columns()), b.columns());
  std::ranges::copy(b.values(), x.values().begin());
  std::vector<double> s(std::min(a.rows(), a.columns()));
  lapack_int rank = 0;
  lapack_int failed = LAPACKE_dgelsd(LAPACK_ROW_MAJOR, Int(a.rows()), Int(a.columns()), Int(b.columns()),
                                     copy.values().data(), Int(a.columns()), x.values().data(), Int(b.columns()),
                                     s.data(), 1e-10, &rank);
  CHECK(failed == 0, "least squares did not converge");
  std::vector<size_t> top(a.columns());
  for (size_t i = 0; i < top.size(); ++i) top[i] = i;
  return Rows(x, top);
}

Matrix SolveNormal(Matrix gram, const Matrix& moment, double ridge) {
  for (size_t i = 0; i < gram.rows(); ++i) gram(i, i) += ridge;
  Matrix x = moment;
  lapack_int failed = LAPACKE_dposv(LAPACK_ROW_MAJOR, 'U', Int(gram.rows()), Int(x.columns()), gram.values().data(),
                                    Int(gram.columns()), x.values().data(), Int(x.columns()));
  return failed == 0 ? x : PseudoInverse(gram) * moment;
}

Matrix RidgeLeastSquares(const Matrix& a, const Matrix& b, double ridge, const Matrix& start) {
  return start + SolveNormal(TransposedTimes(a, a), TransposedTimes(a, b - a * start), ridge);
}

Matrix PseudoInverse(const Matrix& a) {
  Svd svd = Decompose(a);
  std::vector<double> inverse(svd.s.size());
  for (size_t i = 0; i < inverse.size(); ++i) inverse[i] = svd.s[i] > 1e-12 * svd.s[0] ? 1 / svd.s[i] : 0;
  return TimesTransposed(Scaled(Transposed(svd.vt), inverse), svd.u);
}

Matrix OrthonormalBasis(const Matrix& a) {
  CHECK(a.columns() <= a.rows(), "more columns than a basis can have");
  Matrix q = a;
  std::vector<double> tau(a.columns());
  lapack_int failed =
      LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, Int(a.rows()), Int(a.columns()), q.values().data(), Int(a.columns()), tau.data());
  CHECK(failed == 0, "QR failed");
  failed = LAPACKE_dorgqr(LAPACK_ROW_MAJOR, Int(a.rows()), Int(a.columns()), Int(a.columns()), q.values().data(),
                          Int(a.columns()), tau.data());
  CHECK(failed == 0, "QR failed");
  return q;
}

Matrix NearestOrthogonal(const Matrix& a) {
  Svd svd = Decompose(a);
  return svd.u * svd.vt;
}

size_t NumericalRank(std::span<const double> singular_values, double tolerance) {
  return static_cast<size_t>(std::ranges::count_if(
      singular_values, [&](double s) { return s > tolerance * singular_values.front(); }));
}

}  // namespace soter::audit
