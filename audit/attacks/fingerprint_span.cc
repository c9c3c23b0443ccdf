#include "audit/attacks/fingerprint_span.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "audit/linear/decompose.h"

namespace soter::audit {
namespace {

constexpr double kSameDirection = 1 - 1e-5;  // cosine of principal angles; fp32 traffic has errors of 1e-7
constexpr double kDependent = 1e-6;

// RowSpan is an orthonormal basis of the rows, [dimension, rank].
Matrix RowSpan(const Matrix& rows) {
  Svd svd = Decompose(rows);
  size_t rank = svd.s.empty() || svd.s.front() == 0 ? 0 : NumericalRank(svd.s, kDependent);
  std::vector<size_t> top(rank);
  for (size_t i = 0; i < rank; ++i) top[i] = i;
  return Transposed(Rows(svd.vt, top));
}

// InputRowsByType gathers what was sent in one shape: a probe has the shape of the operator that it checks.
std::map<std::string, Matrix> SentByShape(const View& view) {
  std::map<std::string, Matrix> sent;
  for (const SeenRun& run : view.runs)
    for (const Tensor& input : run.inputs) {
      if (input.dtype() != DType::kFloat32) continue;
      std::span<const float> values = input.As<float>();
      Matrix row = Matrix::FromFloats(1, values.size(), values);
      Matrix& rows = sent[TypeString(input.type())];
      rows = rows.empty() ? row : StackedOver(rows, row);
    }
  return sent;
}

}  // namespace

Matrix SharedSpan(const Matrix& first, const Matrix& second) {
  if (first.rows() == 0 || second.rows() == 0 || first.rows() + second.rows() >= first.columns()) return {};
  Matrix a = RowSpan(first), b = RowSpan(second);
  if (a.empty() || b.empty()) return {};
  Svd svd = Decompose(TransposedTimes(a, b));
  std::vector<size_t> shared;
  for (size_t i = 0; i < svd.s.size(); ++i)
    if (svd.s[i] > kSameDirection) shared.push_back(i);
  return shared.empty() ? Matrix() : a * Columns(svd.u, shared);
}

std::vector<double> OutsideSpan(const Matrix& basis, const Matrix& rows) {
  std::vector<double> outside;
  for (size_t i = 0; i < rows.rows(); ++i) {
    size_t index = i;
    Matrix row = Rows(rows, std::span(&index, 1));
    Matrix rest = row - TimesTransposed(row * basis, basis);
    double norm = Norm(row);
    outside.push_back(norm > 0 ? Norm(rest) / norm : 1);
  }
  return outside;
}

Result<Guess> FindFingerprints(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  double dimensions = 0, taken = 0, total = 0;
  for (const auto& [shape, rows] : SentByShape(knowledge.loads.front())) {
    std::vector<size_t> even, odd;
    for (size_t i = 0; i < rows.rows(); ++i) (i % 2 == 0 ? even : odd).push_back(i);
    total += static_cast<double>(rows.rows());
    Matrix basis = SharedSpan(Rows(rows, even), Rows(rows, odd));
    if (basis.empty()) continue;
    dimensions += static_cast<double>(basis.columns());
    std::vector<double> outside = OutsideSpan(basis, rows);
    taken += static_cast<double>(std::ranges::count_if(outside, [](double share) { return share < kInSpan; }));
  }
  guess.findings = {{"dimensions of the span found", dimensions},
                    {"share of inputs taken for fingerprints", total > 0 ? taken / total : 0}};
  return guess;
}

}  // namespace soter::audit
