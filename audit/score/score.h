#pragma once

#include <span>

#include "audit/attacks/attack.h"

namespace soter::audit {

// LayerScore compares what an attack took a layer to be with what it is. W_b: the ancestor's weight, W: the victim's.
struct LayerScore {
  std::string name;
  bool guessed = false;
  double adp = 1;             // <W_rec - W, W_b - W> / ||W_b - W||^2: 1 the attacker knows what is public, 0 everything
  double relative_error = 1;  // ||W_rec - W|| / ||W_b - W||
  double r2 = 0;              // of the part of the activations that the ancestor gets wrong: 1 - ||(W_rec - W) x||^2 /
                              // ||(W_b - W) x||^2; 0 no better than the ancestor
};

// The least ADP in every layer of a scheme that withstands: 25% of the difference is already fatal for its task, so no
// attack may find more than this.
inline constexpr double kLeastAdp = 0.98;

// ScoreGuess scores every layer. `inputs` are honest inputs of the network, for r2; ancestor and truth are bound to
// their shapes. Errors: kInvalidArgument (ancestor and truth are not of one architecture, or a guess has other shapes).
Result<std::vector<LayerScore>> ScoreGuess(const StaticGraph& ancestor, const StaticGraph& truth, const Guess& guess,
                                           std::span<const Tensor> inputs);

// Substitute is `network`, the ancestor before it was bound or after, with the guessed weights and biases.
Graph Substitute(const Graph& network, const StaticGraph& ancestor, const Guess& guess);

// BestPerLayer joins guesses. The adversary cannot see the scores; it knows that the victim was fine-tuned from the
// ancestor, so for each layer it takes, of the guesses that come nearly as close to the ancestor as any for the freedom
// that they had, the first: `guesses` go from few unknowns to many.
Guess BestPerLayer(const StaticGraph& ancestor, std::span<const Guess> guesses);

}  // namespace soter::audit
