#pragma once

#include "audit/linear/matrix.h"

// Decompositions, by LAPACK. A matrix for which LAPACK's iteration does not converge is a bug of the caller (a NaN).
namespace soter::audit {

// Svd is a = u diag(s) vt with k = min(rows, columns): u [rows, k], s [k] falling, vt [k, columns].
struct Svd {
  Matrix u;
  std::vector<double> s;
  Matrix vt;
};
Svd Decompose(const Matrix& a);

// SymmetricEigen is a = v diag(values) v^T, values rising, eigenvectors in the columns of v.
struct SymmetricEigen {
  std::vector<double> values;
  Matrix vectors;
};
SymmetricEigen DecomposeSymmetric(const Matrix& a);

// LeastSquares returns the x [a.columns, b.columns] of least norm among those that minimise ||a x - b||.
Matrix LeastSquares(const Matrix& a, const Matrix& b);
// RidgeLeastSquares minimises ||a x - b||^2 + ridge ||x - start||^2 from the normal equations; ridge > 0.
Matrix RidgeLeastSquares(const Matrix& a, const Matrix& b, double ridge, const Matrix& start);
// SolveNormal solves gram x = moment for a symmetric positive definite gram, after adding `ridge` to its diagonal.
Matrix SolveNormal(Matrix gram, const Matrix& moment, double ridge);

Matrix PseudoInverse(const Matrix& a);
// OrthonormalBasis spans the columns of a [n, k], k <= n, by QR.
Matrix OrthonormalBasis(const Matrix& a);
// NearestOrthogonal is the orthogonal polar factor u vt: the solution of the Procrustes problem max <q, a>.
Matrix NearestOrthogonal(const Matrix& a);
// NumericalRank counts singular values above `tolerance` times the largest.
size_t NumericalRank(std::span<const double> singular_values, double tolerance);

}  // namespace soter::audit
