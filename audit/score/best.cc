#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "audit/score/score.h"

namespace soter::audit {
namespace {

// Of guesses that are as close as each other up to this factor, the first wins.
constexpr double kNearlyAsClose = 4;
constexpr double kLeastFreedom = 0.01;

// Distance is the share of a guess that does not point where the ancestor does, for each direction that was left free: an
// attack that fits u of n parameters to the ancestor comes closer by u / n for that alone.
double Distance(const LayerGuess& guess, const Matrix& ancestor) {
  double cosine = Cosine(guess.weight.values(), ancestor.values());
  if (!std::isfinite(cosine)) return 2;
  double freedom = 1 - guess.unknowns / static_cast<double>(ancestor.values().size());
  return (1 - cosine * cosine + 1e-12) / std::max(freedom, kLeastFreedom);
}

}  // namespace

Guess BestPerLayer(const StaticGraph& ancestor, std::span<const Guess> guesses) {
  std::vector<Layer> layers = LinearLayers(ancestor);
  std::map<size_t, std::vector<const LayerGuess*>> candidates;
  for (const Guess& guess : guesses)
    for (const LayerGuess& layer : guess.layers) candidates[layer.layer].push_back(&layer);
  Guess best;
  for (const auto& [index, of_layer] : candidates) {
    auto distance = [&, i = index](const LayerGuess* guess) { return Distance(*guess, layers[i].weight); };
    double least = std::ranges::min(of_layer | std::views::transform(distance));
    best.layers.push_back(**std::ranges::find_if(
        of_layer,
        [&](const LayerGuess* guess) { return guess->certain || distance(guess) <= kNearlyAsClose * least; }));
  }
  return best;
}

}  // namespace soter::audit
