#include <cmath>

#include "audit/attacks/mixing.h"
#include "audit/linear/draw.h"

namespace soter::audit {
namespace {

constexpr int kDescentSteps = 400;
constexpr int kProcrustesRounds = 30;

// Slices are the filter's positions, each [m, channels].
std::vector<Matrix> Slices(const Matrix& weight, size_t taps) {
  size_t channels = weight.columns() / taps;
  std::vector<Matrix> slices(taps, Matrix(weight.rows(), channels));
  for (size_t i = 0; i < weight.rows(); ++i)
    for (size_t c = 0; c < channels; ++c)
      for (size_t t = 0; t < taps; ++t) slices[t](i, c) = weight(i, c * taps + t);
  return slices;
}

Matrix Joined(std::span<const Matrix> slices) {
  size_t taps = slices.size(), channels = slices[0].columns();
  Matrix weight(slices[0].rows(), taps * channels);
  for (size_t i = 0; i < weight.rows(); ++i)
    for (size_t c = 0; c < channels; ++c)
      for (size_t t = 0; t < taps; ++t) weight(i, c * taps + t) = slices[t](i, c);
  return weight;
}

// GramPair is seen_s seen_t^T and known_s known_t^T: conjugate by the output mix, whatever the input mix.
struct GramPair {
  Matrix seen, known;
};

std::vector<GramPair> GramPairs(std::span<const Matrix> seen, std::span<const Matrix> known) {
  std::vector<GramPair> pairs;
  for (size_t s = 0; s < seen.size(); ++s)
    for (size_t t = 0; t < seen.size(); ++t)
      pairs.push_back({TimesTransposed(seen[s], seen[t]), TimesTransposed(known[s], known[t])});
  return pairs;
}

// Apply is the gradient of sum ||seen Q - Q known||^2 at Q.
Matrix Apply(std::span<const GramPair> pairs, const Matrix& q) {
  Matrix gradient(q.rows(), q.columns());
  for (const GramPair& pair : pairs) {
    Matrix residual = pair.seen * q - q * pair.known;
    gradient = gradient + TransposedTimes(pair.seen, residual) - TimesTransposed(residual, pair.known);
  }
  return gradient;
}

Matrix RandomMatrix(size_t size) {
  Matrix matrix = Draw(1).Gaussian(size, size);
  return (1 / Norm(matrix)) * matrix;
}

// OrthonormalSet makes the matrices orthonormal as vectors, dropping what is dependent.
std::vector<Matrix> OrthonormalSet(std::vector<Matrix> set) {
  std::vector<Matrix> basis;
  for (Matrix& matrix : set) {
    for (int pass = 0; pass < 2; ++pass)
      for (const Matrix& other : basis) matrix = matrix - Dot(other.values(), matrix.values()) * other;
    double norm = Norm(matrix);
    if (norm > 1e-12) basis.push_back((1 / norm) * matrix);
  }
  return basis;
}

// LeastEigenvector of Apply, by locally optimal descent in the span of the estimate, its residual and the last step.
Matrix LeastEigenvector(std::span<const GramPair> pairs, size_t size) {
  Matrix q = RandomMatrix(size), step;
  for (int i = 0; i < kDescentSteps; ++i) {
    Matrix image = Apply(pairs, q);
    Matrix residual = image - Dot(q.values(), image.values()) * q;
    if (Norm(residual) < 1e-10 * (Norm(image) + 1e-300)) break;
    std::vector<Matrix> set = {q, residual};
    if (!step.empty()) set.push_back(step);
    std::vector<Matrix> basis = OrthonormalSet(std::move(set)), images;
    for (const Matrix& vector : basis) images.push_back(Apply(pairs, vector));
    Matrix small(basis.size(), basis.size());
    for (size_t a = 0; a < basis.size(); ++a)
      for (size_t b = 0; b < basis.size(); ++b) small(a, b) = Dot(basis[a].values(), images[b].values());
    SymmetricEigen eigen = DecomposeSymmetric(0.5 * (small + Transposed(small)));
    Matrix next(size, size);
    for (size_t a = 0; a < basis.size(); ++a) next = next + eigen.vectors(a, 0) * basis[a];
    step = next - Dot(next.values(), q.values()) * q;
    q = (1 / Norm(next)) * next;
  }
  return q;
}

Matrix BestInputMix(std::span<const Matrix> seen, std::span<const Matrix> known, const Matrix& q1) {
  Matrix sum(known[0].columns(), known[0].columns());  // max <known_t, q1^T seen_t q2>
  for (size_t t = 0; t < seen.size(); ++t) sum = sum + TransposedTimes(TransposedTimes(q1, seen[t]), known[t]);
  return NearestOrthogonal(sum);
}

Matrix BestOutputMix(std::span<const Matrix> seen, std::span<const Matrix> known, const Matrix& q2) {
  Matrix sum(known[0].rows(), known[0].rows());
  for (size_t t = 0; t < seen.size(); ++t) sum = sum + seen[t] * TimesTransposed(q2, known[t]);
  return NearestOrthogonal(sum);
}

}  // namespace

Matrix UnrotateBoth(const Matrix& seen, const Matrix& ancestor, size_t taps) {
  std::vector<Matrix> mixed = Slices(seen, taps), known = Slices(ancestor, taps);
  Matrix q1 = NearestOrthogonal(LeastEigenvector(GramPairs(mixed, known), seen.rows())), q2;
  for (int round = 0; round < kProcrustesRounds; ++round) {
    q2 = BestInputMix(mixed, known, q1);
    q1 = BestOutputMix(mixed, known, q2);
  }
  for (Matrix& slice : mixed) slice = TransposedTimes(q1, slice) * q2;
  return Joined(mixed);
}

}  // namespace soter::audit
