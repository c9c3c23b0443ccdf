#include "audit/controls/masks.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/per_operator.h"

namespace soter::audit {
namespace {

constexpr size_t kGroup = 4;
constexpr double kAmplitude = 16;     // of additive masks, in deviations of the weight
constexpr int kFewStages = 2;
constexpr double kRedrawnAmplitude = 1;
constexpr size_t kLoads = 64;

double Deviation(const Matrix& a) { return Norm(a) / std::sqrt(static_cast<double>(a.values().size())); }

// GroupCover (ICML 2024): rows in groups of four, each group mixed by a random matrix.
Matrix HideInGroups(const Layer& layer, uint64_t seed) {
  Draw draw(seed);
  std::vector<size_t> order = draw.Permutation(layer.weight.rows());
  Matrix hidden(layer.weight.rows(), layer.weight.columns());
  for (size_t g = 0; g < order.size(); g += kGroup) {
    std::span<const size_t> members = std::span(order).subspan(g, std::min(kGroup, order.size() - g));
    Matrix mixed = draw.Gaussian(members.size(), members.size()) * Rows(layer.weight, members);
    for (size_t i = 0; i < members.size(); ++i) std::ranges::copy(mixed.row(i), hidden.row(g + i).begin());
  }
  return hidden;
}

// ObfuscaTune: input channels mixed by a random rotation.
Matrix HideByRotation(const Layer& layer, uint64_t seed) {
  Draw draw(seed);
  Matrix by_channels = ByChannels(layer.weight, layer.taps);
  return ByRows(by_channels * draw.Orthogonal(by_channels.columns()), layer.taps);
}

Matrix HideByConstantSpectrum(const Layer& layer, uint64_t seed) {
  const Matrix& w = layer.weight;
  Svd svd = Decompose(Draw(seed).Gaussian(w.rows(), w.columns()));
  double size = std::sqrt(static_cast<double>(std::max(w.rows(), w.columns())));
  return w + kAmplitude * Deviation(w) * size * (svd.u * svd.vt);
}

Matrix HideBySharedTaps(const Layer& layer, uint64_t seed) {
  const Matrix& w = layer.weight;
  size_t channels = w.columns() / layer.taps;
  Matrix mask = Draw(seed).Gaussian(w.rows(), channels, kAmplitude * Deviation(w)), hidden = w;
  for (size_t i = 0; i < w.rows(); ++i)
    for (size_t c = 0; c < channels; ++c)
      for (size_t t = 0; t < layer.taps; ++t) hidden(i, c * layer.taps + t) += mask(i, c);
  return hidden;
}

// Rotations is a product of `stages` layers of plane rotations with random pairings.
Matrix Rotations(Draw& draw, size_t size, int stages) {
  Matrix q = Matrix::Identity(size);
  for (int stage = 0; stage < stages; ++stage) {
    std::vector<size_t> order = draw.Permutation(size);
    for (size_t p = 0; p + 1 < size; p += 2) {
      double angle = draw.Uniform(0, 2 * M_PI), c = std::cos(angle), s = std::sin(angle);
      for (size_t k = 0; k < size; ++k) {
        double x = q(order[p], k), y = q(order[p + 1], k);
        q(order[p], k) = c * x - s * y, q(order[p + 1], k) = s * x + c * y;
      }
    }
  }
  return q;
}

Matrix HideByFewStages(const Layer& layer, uint64_t seed) {
  Draw draw(seed);
  const Matrix& w = layer.weight;
  return w + RotationMask(draw, w.rows(), w.columns(), kFewStages, kAmplitude * Deviation(w));
}

Matrix HideByNoise(const Layer& layer, uint64_t seed, double amplitude) {
  const Matrix& w = layer.weight;
  return w + Draw(seed).Gaussian(w.rows(), w.columns(), amplitude * Deviation(w));
}

}  // namespace

Matrix RotationMask(Draw& draw, size_t rows, size_t columns, int stages, double amplitude) {
  Matrix left = Rotations(draw, rows, stages), right = Rotations(draw, columns, stages), middle(rows, columns);
  std::vector<double> spectrum = Decompose(draw.Gaussian(rows, columns)).s;
  for (size_t i = 0; i < spectrum.size(); ++i) middle(i, i) = amplitude * spectrum[i];
  return left * middle * right;
}

std::vector<ControlMask> ControlMasks() {
  auto noise = [](const Layer& layer, uint64_t seed) { return HideByNoise(layer, seed, kAmplitude); };
  auto little_noise = [](const Layer& layer, uint64_t seed) { return HideByNoise(layer, seed, kRedrawnAmplitude); };
  return {{.name = "GroupCover, groups of 4", .hide = HideInGroups},
          {.name = "ObfuscaTune", .hide = HideByRotation},
          {.name = "additive, two stages", .hide = HideByFewStages},
          {.name = "additive, constant spectrum", .hide = HideByConstantSpectrum},
          {.name = "additive, shared taps", .hide = HideBySharedTaps},
          {.name = "additive, reused pad", .hide = noise, .reused_pad = true},
          {.name = "additive, redrawn at every load", .hide = little_noise, .loads = kLoads, .redrawn = true}};
}

}  // namespace soter::audit
