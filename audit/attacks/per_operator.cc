#include "audit/attacks/per_operator.h"

namespace soter::audit {

Result<Guess> OnEachOperator(const Knowledge& knowledge, const Unknowns& unknowns, const WeightAttack& attack) {
  Guess guess;
  if (knowledge.loads.empty()) return guess;
  Alignment alignment = Align(knowledge.ancestor, knowledge.loads.front());
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    if (!alignment.sightings[i].has_value()) continue;
    std::optional<Matrix> weight = attack(alignment.sightings[i]->seen.weight, alignment.layers[i]);
    if (weight.has_value()) {
      double count = static_cast<double>(unknowns(alignment.layers[i]));
      guess.layers.push_back({i, std::move(*weight), {}, count});
    }
  }
  return guess;
}

Matrix ByChannels(const Matrix& weight, size_t taps) {
  size_t channels = weight.columns() / taps;
  Matrix arranged(weight.rows() * taps, channels);
  for (size_t i = 0; i < weight.rows(); ++i)
    for (size_t c = 0; c < channels; ++c)
      for (size_t t = 0; t < taps; ++t) arranged(i * taps + t, c) = weight(i, c * taps + t);
  return arranged;
}

Matrix ByRows(const Matrix& by_channels, size_t taps) {
  Matrix weight(by_channels.rows() / taps, by_channels.columns() * taps);
  for (size_t i = 0; i < weight.rows(); ++i)
    for (size_t c = 0; c < by_channels.columns(); ++c)
      for (size_t t = 0; t < taps; ++t) weight(i, c * taps + t) = by_channels(i * taps + t, c);
  return weight;
}

}  // namespace soter::audit
