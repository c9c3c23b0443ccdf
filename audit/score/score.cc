#include "audit/score/score.h"

#include <cmath>
#include <numeric>

#include "audit/attacks/evaluator.h"

namespace soter::audit {
namespace {

Result<Values> AllValues(const StaticGraph& graph, std::span<const Tensor> inputs) {
  std::vector<size_t> nodes(graph.graph().nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  std::vector<ValueId> given;
  Values values;
  for (size_t i = 0; i < graph.graph().inputs.size(); ++i) {
    given.push_back(graph.graph().inputs[i].value);
    values.emplace(given.back(), inputs[i].Clone());
  }
  Evaluator evaluator = TRY(Evaluator::Make(graph, nodes, given));
  Values all = TRY(evaluator.Run(values));
  all.merge(values);
  return all;
}

double Square(const Matrix& a) { return Dot(a.values(), a.values()); }

// Unpredicted is r2 of the guess on `x`, the true input of the layer.
Result<double> Unpredicted(const StaticGraph& truth, const Layer& layer, const Tensor& x, const Matrix& from_guess,
                           const Matrix& from_ancestor) {
  Result<Matrix> rows = InputRows(truth, layer, x);
  if (!rows.ok()) return 0.0;  // an operator that is not unfolded has no r2
  double of_ancestor = Square(TimesTransposed(*rows, from_ancestor));
  return of_ancestor > 0 ? 1 - Square(TimesTransposed(*rows, from_guess)) / of_ancestor : 0.0;
}

}  // namespace

Result<std::vector<LayerScore>> ScoreGuess(const StaticGraph& ancestor, const StaticGraph& truth, const Guess& guess,
                                           std::span<const Tensor> inputs) {
  std::vector<Layer> known = LinearLayers(ancestor), actual = LinearLayers(truth);
  if (known.size() != actual.size()) return InvalidArgument("ancestor and victim have different numbers of operators");
  std::vector<LayerScore> scores;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (known[i].shape != actual[i].shape)
      return InvalidArgument("operator '" + actual[i].name + "' has another shape in the ancestor");
    scores.push_back({.name = actual[i].name});
  }
  if (guess.layers.empty()) return scores;
  Values values = TRY(AllValues(truth, inputs));
  for (const LayerGuess& layer : guess.layers) {
    if (layer.layer >= actual.size() || layer.weight.rows() != actual[layer.layer].weight.rows() ||
        layer.weight.columns() != actual[layer.layer].weight.columns())
      return InvalidArgument("a guess for an operator that is not there, or of another shape");
    const Layer& is = actual[layer.layer];
    Matrix error = layer.weight - is.weight, public_error = known[layer.layer].weight - is.weight;
    LayerScore& score = scores[layer.layer];
    double power = Square(public_error);
    score.guessed = true;
    if (power == 0) continue;  // the victim kept the ancestor's weight: nothing to steal
    score.adp = Dot(error.values(), public_error.values()) / power;
    score.relative_error = Norm(error) / std::sqrt(power);
    const Tensor& x = values.at(truth.graph().nodes[is.node].inputs[0]);
    score.r2 = TRY(Unpredicted(truth, is, x, error, public_error));
  }
  return scores;
}

Graph Substitute(const Graph& network, const StaticGraph& ancestor, const Guess& guess) {
  std::vector<Layer> layers = LinearLayers(ancestor), changed;
  for (const LayerGuess& known : guess.layers) {
    Layer layer = layers[known.layer];
    layer.weight = known.weight;
    if (!known.bias.empty()) layer.bias = known.bias;
    changed.push_back(std::move(layer));
  }
  return WithWeights(network, changed);
}

}  // namespace soter::audit
