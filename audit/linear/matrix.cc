#include "audit/linear/matrix.h"

#include <cblas.h>

#include <algorithm>
#include <cmath>

#include "common/base/check.h"

namespace soter::audit {
namespace {

enum class Form { kPlain, kTransposed };

Matrix Product(const Matrix& a, Form form_a, const Matrix& b, Form form_b) {
  bool ta = form_a == Form::kTransposed, tb = form_b == Form::kTransposed;
  size_t m = ta ? a.columns() : a.rows(), k = ta ? a.rows() : a.columns(), n = tb ? b.rows() : b.columns();
  CHECK(k == (tb ? b.columns() : b.rows()), "a product of matrices that do not fit");
  Matrix y(m, n);
  if (m == 0 || n == 0 || k == 0) return y;
  cblas_dgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans, static_cast<int>(m),
              static_cast<int>(n), static_cast<int>(k), 1.0, a.values().data(), static_cast<int>(a.columns()),
              b.values().data(), static_cast<int>(b.columns()), 0.0, y.values().data(), static_cast<int>(n));
  return y;
}

template <typename Function>
Matrix Elementwise(const Matrix& a, const Matrix& b, Function f) {
  CHECK(a.rows() == b.rows() && a.columns() == b.columns(), "matrices of different shapes");
  Matrix y(a.rows(), a.columns());
  std::transform(a.values().begin(), a.values().end(), b.values().begin(), y.values().begin(), f);
  return y;
}

}  // namespace

Matrix Matrix::FromFloats(size_t rows, size_t columns, std::span<const float> values) {
  CHECK(values.size() == rows * columns, "value count differs from the shape");
  Matrix matrix(rows, columns);
  std::copy(values.begin(), values.end(), matrix.values_.begin());
  return matrix;
}

Matrix Matrix::Identity(size_t size) {
  Matrix matrix(size, size);
  for (size_t i = 0; i < size; ++i) matrix(i, i) = 1;
  return matrix;
}

std::vector<double> Matrix::column(size_t j) const {
  std::vector<double> values(rows_);
  for (size_t i = 0; i < rows_; ++i) values[i] = (*this)(i, j);
  return values;
}

std::vector<float> Matrix::ToFloats() const { return {values_.begin(), values_.end()}; }

Matrix operator+(const Matrix& a, const Matrix& b) {
  return Elementwise(a, b, [](double x, double y) { return x + y; });
}

Matrix operator-(const Matrix& a, const Matrix& b) {
  return Elementwise(a, b, [](double x, double y) { return x - y; });
}

Matrix operator*(double factor, const Matrix& a) {
  Matrix y = a;
  for (double& value : y.values()) value *= factor;
  return y;
}

Matrix operator*(const Matrix& a, const Matrix& b) { return Product(a, Form::kPlain, b, Form::kPlain); }
Matrix TransposedTimes(const Matrix& a, const Matrix& b) { return Product(a, Form::kTransposed, b, Form::kPlain); }
Matrix TimesTransposed(const Matrix& a, const Matrix& b) { return Product(a, Form::kPlain, b, Form::kTransposed); }

Matrix Transposed(const Matrix& a) {
  Matrix y(a.columns(), a.rows());
  for (size_t i = 0; i < a.rows(); ++i)
    for (size_t j = 0; j < a.columns(); ++j) y(j, i) = a(i, j);
  return y;
}

Matrix Rows(const Matrix& a, std::span<const size_t> which) {
  Matrix y(which.size(), a.columns());
  for (size_t i = 0; i < which.size(); ++i) std::ranges::copy(a.row(which[i]), y.row(i).begin());
  return y;
}

Matrix Columns(const Matrix& a, std::span<const size_t> which) {
  Matrix y(a.rows(), which.size());
  for (size_t i = 0; i < a.rows(); ++i)
    for (size_t j = 0; j < which.size(); ++j) y(i, j) = a(i, which[j]);
  return y;
}

Matrix StackedOver(const Matrix& above, const Matrix& below) {
  CHECK(above.columns() == below.columns(), "matrices of different widths");
  Matrix y(above.rows() + below.rows(), above.columns());
  auto end = std::ranges::copy(above.values(), y.values().begin()).out;
  std::ranges::copy(below.values(), end);
  return y;
}

Matrix BesideEachOther(const Matrix& left, const Matrix& right) {
  CHECK(left.rows() == right.rows(), "matrices of different heights");
  Matrix y(left.rows(), left.columns() + right.columns());
  for (size_t i = 0; i < left.rows(); ++i) {
    auto end = std::ranges::copy(left.row(i), y.row(i).begin()).out;
    std::ranges::copy(right.row(i), end);
  }
  return y;
}

double Dot(std::span<const double> a, std::span<const double> b) {
  CHECK(a.size() == b.size(), "vectors of different lengths");
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double Norm(std::span<const double> a) { return std::sqrt(Dot(a, a)); }

double Cosine(std::span<const double> a, std::span<const double> b) {
  double norms = Norm(a) * Norm(b);
  return norms > 0 ? Dot(a, b) / norms : 0;
}

}  // namespace soter::audit
