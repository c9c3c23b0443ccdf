#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace soter::audit {

// Matrix is a dense row-major matrix of doubles. What attacks compute with: weights arrive in fp32, and an attack must
// not fail for want of digits.
class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t columns, double fill = 0) : rows_(rows), columns_(columns), values_(rows * columns, fill) {}
  static Matrix FromFloats(size_t rows, size_t columns, std::span<const float> values);
  static Matrix Identity(size_t size);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  bool empty() const { return values_.empty(); }
  double& operator()(size_t i, size_t j) { return values_[i * columns_ + j]; }
  double operator()(size_t i, size_t j) const { return values_[i * columns_ + j]; }
  std::span<double> row(size_t i) { return std::span(values_).subspan(i * columns_, columns_); }
  std::span<const double> row(size_t i) const { return std::span(values_).subspan(i * columns_, columns_); }
  std::vector<double> column(size_t j) const;
  std::span<double> values() { return values_; }
  std::span<const double> values() const { return values_; }
  std::vector<float> ToFloats() const;

 private:
  size_t rows_ = 0, columns_ = 0;
  std::vector<double> values_;
};

Matrix operator+(const Matrix& a, const Matrix& b);
Matrix operator-(const Matrix& a, const Matrix& b);
Matrix operator*(double factor, const Matrix& a);
Matrix operator*(const Matrix& a, const Matrix& b);  // the product
Matrix Transposed(const Matrix& a);
Matrix TransposedTimes(const Matrix& a, const Matrix& b);  // a^T b
Matrix TimesTransposed(const Matrix& a, const Matrix& b);  // a b^T

// Rows and Columns take the listed rows or columns, in that order.
Matrix Rows(const Matrix& a, std::span<const size_t> which);
Matrix Columns(const Matrix& a, std::span<const size_t> which);
Matrix StackedOver(const Matrix& above, const Matrix& below);
Matrix BesideEachOther(const Matrix& left, const Matrix& right);

double Dot(std::span<const double> a, std::span<const double> b);
double Norm(std::span<const double> a);
inline double Norm(const Matrix& a) { return Norm(a.values()); }
// Cosine is 0 where one of the two is 0.
double Cosine(std::span<const double> a, std::span<const double> b);

}  // namespace soter::audit
