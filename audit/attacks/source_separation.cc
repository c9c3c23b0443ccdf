#include "audit/attacks/source_separation.h"

#include <algorithm>
#include <cmath>

#include "audit/linear/draw.h"

namespace soter::audit {
namespace {

constexpr int kRounds = 200;
constexpr double kSettled = 1e-7;
constexpr size_t kMostRows = 64, kMostSamples = 4096, kSamplesForEachRow = 16;

Matrix CentredRows(Matrix a) {
  for (size_t i = 0; i < a.rows(); ++i) {
    double mean = 0;
    for (double value : a.row(i)) mean += value / static_cast<double>(a.columns());
    for (double& value : a.row(i)) value -= mean;
  }
  return a;
}

// Whitened rows are uncorrelated and of variance 1; empty where the rank is not full.
Matrix Whitened(const Matrix& a) {
  double samples = static_cast<double>(a.columns());
  SymmetricEigen eigen = DecomposeSymmetric((1 / samples) * TimesTransposed(a, a));
  if (eigen.values.front() <= 1e-10 * eigen.values.back()) return {};
  Matrix white = TransposedTimes(eigen.vectors, a);
  for (size_t i = 0; i < white.rows(); ++i)
    for (double& value : white.row(i)) value /= std::sqrt(eigen.values[i]);
  return white;
}

double ExcessKurtosis(std::span<const double> row) {
  double second = 0, fourth = 0, n = static_cast<double>(row.size());
  for (double value : row) second += value * value / n, fourth += value * value * value * value / n;
  return second > 0 ? fourth / (second * second) - 3 : 0;
}

}  // namespace

Matrix SeparateSources(const Matrix& mixed, int most_rounds, uint64_t seed) {
  Matrix white = Whitened(CentredRows(mixed));
  if (white.empty()) return {};
  double samples = static_cast<double>(white.columns());
  Matrix w = Draw(seed).Orthogonal(white.rows());
  for (int round = 0; round < most_rounds; ++round) {
    Matrix y = w * white;
    std::vector<double> slope(y.rows());
    for (size_t i = 0; i < y.rows(); ++i)
      for (double& value : y.row(i)) {
        value = std::tanh(value);
        slope[i] += (1 - value * value) / samples;
      }
    Matrix next = (1 / samples) * TimesTransposed(y, white);
    for (size_t i = 0; i < next.rows(); ++i)
      for (size_t j = 0; j < next.columns(); ++j) next(i, j) -= slope[i] * w(i, j);
    next = NearestOrthogonal(next);
    double change = 0;
    for (size_t i = 0; i < w.rows(); ++i) change = std::max(change, std::abs(std::abs(Dot(w.row(i), next.row(i))) - 1));
    w = std::move(next);
    if (change < kSettled) break;
  }
  return w * white;
}

Result<Guess> SeparateTraffic(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  double tensors = 0, telling = 0;
  for (const SeenRun& run : knowledge.loads.front().runs)
    for (const Tensor& input : run.inputs) {
      if (input.dtype() != DType::kFloat32 || input.shape().size() < 2 || tensors >= 16) continue;
      std::span<const float> values = input.As<float>();
      size_t rows = static_cast<size_t>(input.shape()[input.shape().size() > 2 ? 1 : 0]);
      size_t samples = rows > 0 ? values.size() / rows : 0;
      if (rows < 2 || rows > kMostRows || samples < kSamplesForEachRow * rows || samples > kMostSamples) continue;
      Matrix sources = SeparateSources(Matrix::FromFloats(rows, samples, values), kRounds, 1);
      tensors += 1;
      for (size_t i = 0; i < sources.rows(); ++i) telling += (ExcessKurtosis(sources.row(i)) > 1) / double(sources.rows());
    }
  guess.findings = {{"batches separated", tensors}, {"share of sources that are no pad", tensors > 0 ? telling / tensors : 0}};
  return guess;
}

}  // namespace soter::audit
