#include "audit/attacks/scale_recovery.h"

#include "audit/attacks/value_scales.h"

namespace soter::audit {

Matrix WithoutScale(const Matrix& seen, const Matrix& ancestor) {
  return LeastSquaresFactor(ancestor.values(), seen.values()) * seen;
}

Result<Guess> TakeAsSeen(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty() || knowledge.masked) return guess;
  Alignment alignment = Align(knowledge.ancestor, knowledge.loads.front());
  for (size_t i = 0; i < alignment.layers.size(); ++i)
    if (alignment.sightings[i].has_value())
      guess.layers.push_back({i, alignment.sightings[i]->seen.weight, alignment.sightings[i]->seen.bias, 0, true});
  return guess;
}

Result<Guess> RecoverScales(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  const View& view = knowledge.loads.front();
  Alignment alignment = Align(knowledge.ancestor, view);
  ValueScales scales(knowledge.ancestor, view, alignment);
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    if (!alignment.sightings[i].has_value()) continue;
    const Layer& seen = alignment.sightings[i]->seen;
    const Node& node = knowledge.ancestor.graph().nodes[alignment.layers[i].node];
    double in = scales.Of(node.inputs[0]), out = scales.Of(node.outputs[0]);
    LayerGuess layer{i, (in / out) * seen.weight, seen.bias};
    for (double& value : layer.bias) value /= out;
    guess.layers.push_back(std::move(layer));
  }
  guess.findings["operators seen"] = static_cast<double>(guess.layers.size());
  return guess;
}

}  // namespace soter::audit
