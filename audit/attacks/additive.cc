#include "audit/attacks/additive.h"

#include <algorithm>
#include <cmath>

#include "audit/attacks/per_operator.h"
#include "audit/linear/decompose.h"

namespace soter::audit {

Matrix RemoveOrthogonalMask(const Matrix& seen, const Matrix& ancestor) {
  Matrix residual = seen - ancestor;
  Svd svd = Decompose(residual);
  double mean = 0;
  for (double s : svd.s) mean += s / static_cast<double>(svd.s.size());
  return seen - mean * (svd.u * svd.vt);
}

Matrix RemoveSharedTaps(const Matrix& seen, const Matrix& ancestor, size_t taps) {
  Matrix plain = seen, residual = seen - ancestor;
  for (size_t i = 0; i < seen.rows(); ++i)
    for (size_t c = 0; c < seen.columns() / taps; ++c) {
      double mean = 0;
      for (size_t t = 0; t < taps; ++t) mean += residual(i, c * taps + t) / static_cast<double>(taps);
      for (size_t t = 0; t < taps; ++t) plain(i, c * taps + t) -= mean;
    }
  return plain;
}

Matrix AverageLoads(std::span<const Matrix> loads, const Matrix& ancestor) {
  double count = static_cast<double>(loads.size());
  Matrix mean(ancestor.rows(), ancestor.columns());
  for (const Matrix& load : loads) mean = mean + (1 / count) * load;
  double spread = 0;  // the variance of an element between loads
  for (const Matrix& load : loads) {
    Matrix residual = load - mean;
    spread += Dot(residual.values(), residual.values());
  }
  Matrix change = mean - ancestor;
  double elements = static_cast<double>(change.values().size());
  double noise = spread / (count - 1) / count / elements, total = Dot(change.values(), change.values()) / elements;
  double kept = total > 0 ? std::max(0.0, 1 - noise / total) : 0;
  return ancestor + kept * change;
}

Result<Guess> RecoverFromRotations(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return 2 * RowsOf(layer) + ColumnsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) {
    return PeelRotations(seen, ancestor.weight);
  });
}

Result<Guess> RecoverFromOrthogonalMask(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return ColumnsOf(layer) * RowsOf(layer) - RowsOf(layer) * (RowsOf(layer) + 1) / 2; };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    return RemoveOrthogonalMask(seen, ancestor.weight);
  });
}

Result<Guess> RecoverFromSharedTaps(const Knowledge& knowledge) {
  auto unknowns = [](const Layer& layer) { return RowsOf(layer) * ChannelsOf(layer); };
  return OnEachOperator(knowledge, unknowns, [](const Matrix& seen, const Layer& ancestor) -> std::optional<Matrix> {
    if (ancestor.taps < 2) return std::nullopt;
    return RemoveSharedTaps(seen, ancestor.weight, ancestor.taps);
  });
}

Result<Guess> RecoverFromReloads(const Knowledge& knowledge) {
  Guess guess;
  if (knowledge.loads.size() < 2) return guess;
  std::vector<Alignment> alignments;
  for (const View& view : knowledge.loads) alignments.push_back(Align(knowledge.ancestor, view));
  for (size_t i = 0; i < alignments.front().layers.size(); ++i) {
    std::vector<Matrix> loads;
    for (const Alignment& alignment : alignments)
      if (alignment.sightings[i].has_value()) loads.push_back(alignment.sightings[i]->seen.weight);
    if (loads.size() >= 2) guess.layers.push_back({i, AverageLoads(loads, alignments.front().layers[i].weight), {}});
  }
  guess.findings["loads"] = static_cast<double>(knowledge.loads.size());
  return guess;
}

}  // namespace soter::audit
