#include "audit/attacks/alignment.h"

#include <algorithm>
#include <cmath>

#include "audit/linear/assignment.h"
#include "audit/linear/decompose.h"
#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

// What separates two candidates of equal likeness: how far apart they stand in the order of execution.
constexpr double kOrderWeight = 1e-3;
constexpr double kImpossible = -1e6;

std::vector<Sighting> SeenLayers(const View& view) {
  std::vector<Sighting> seen;
  for (size_t s = 0; s < view.segments.size(); ++s) {
    for (Layer& layer : LinearLayers(view.segments[s].graph)) {
      bool again = std::ranges::any_of(seen, [&](const Sighting& other) {
        return std::ranges::equal(other.seen.weight.values(), layer.weight.values());
      });
      if (!again) seen.push_back({s, std::move(layer)});
    }
  }
  return seen;
}

void AssignSightings(std::vector<Sighting> seen, Alignment& alignment) {
  size_t count = std::max(seen.size(), alignment.layers.size());
  Matrix gain(seen.size(), count, kImpossible);
  for (size_t i = 0; i < seen.size(); ++i)
    for (size_t j = 0; j < alignment.layers.size(); ++j) {
      if (seen[i].seen.shape != alignment.layers[j].shape) continue;
      double place = static_cast<double>(i) / static_cast<double>(seen.size()) -
                     static_cast<double>(j) / static_cast<double>(alignment.layers.size());
      gain(i, j) = Likeness(seen[i].seen.weight, alignment.layers[j].weight) - kOrderWeight * std::abs(place);
    }
  std::vector<size_t> chosen = Assign(gain);
  for (size_t i = 0; i < seen.size(); ++i)
    if (chosen[i] < alignment.layers.size() && gain(i, chosen[i]) > kImpossible)
      alignment.sightings[chosen[i]] = std::move(seen[i]);
}

// ValueNamer carries names from operators that are known to their neighbours, until nothing more follows.
class ValueNamer {
 public:
  ValueNamer(const StaticGraph& ancestor, const StaticGraph& segment, std::map<ValueId, ValueId>& names)
      : ancestor_(ancestor), segment_(segment), names_(names) {}

  void NameAll() {
    size_t before;
    do {
      before = names_.size();
      for (const Node& node : segment_.graph().nodes)
        if (!IsLinear(node.op)) NameFrom(node);
    } while (names_.size() != before);
  }

 private:
  std::vector<ValueId> DataInputs(const StaticGraph& graph, const Node& node) const {
    std::vector<ValueId> data;
    for (ValueId value : node.inputs)
      if (value != kNoValue && graph.initializer(value) == nullptr) data.push_back(value);
    return data;
  }

  // NameFrom finds the ancestor's node of the same kind that shares an operand (or the result) with `node`.
  void NameFrom(const Node& node) {
    std::vector<ValueId> seen = DataInputs(segment_, node);
    for (const Node& other : ancestor_.graph().nodes) {
      if (other.op != node.op) continue;
      std::vector<ValueId> known = DataInputs(ancestor_, other);
      if (known.size() != seen.size()) continue;
      bool fits = true, shares = Known(node.outputs[0]) == other.outputs[0];
      for (size_t i = 0; i < seen.size(); ++i) {
        ValueId name = Known(seen[i]);
        fits = fits && (name == kNoValue || name == known[i]);
        shares = shares || name == known[i];
      }
      if (!fits || !shares) continue;
      for (size_t i = 0; i < seen.size(); ++i) names_.emplace(seen[i], known[i]);
      for (size_t i = 0; i < node.outputs.size() && i < other.outputs.size(); ++i)
        names_.emplace(node.outputs[i], other.outputs[i]);
      return;
    }
  }

  ValueId Known(ValueId value) const {
    auto found = names_.find(value);
    return found == names_.end() ? kNoValue : found->second;
  }

  const StaticGraph& ancestor_;
  const StaticGraph& segment_;
  std::map<ValueId, ValueId>& names_;
};

}  // namespace

double Likeness(const Matrix& seen, const Matrix& ancestor) {
  double direct = std::abs(Cosine(seen.values(), ancestor.values()));
  if (direct > 0.5) return direct;
  std::vector<double> s = Decompose(seen).s, t = Decompose(ancestor).s;
  for (auto* spectrum : {&s, &t}) {
    double mean = 0;
    for (double value : *spectrum) mean += value / static_cast<double>(spectrum->size());
    for (double& value : *spectrum) value -= mean;
  }
  return std::max(direct, 0.5 * std::max(0.0, Cosine(s, t)));
}

Alignment Align(const StaticGraph& ancestor, const View& view) {
  Alignment alignment{.layers = LinearLayers(ancestor)};
  alignment.sightings.resize(alignment.layers.size());
  alignment.names.resize(view.segments.size());
  AssignSightings(SeenLayers(view), alignment);
  for (size_t i = 0; i < alignment.layers.size(); ++i) {
    if (!alignment.sightings[i].has_value()) continue;
    const Sighting& sighting = *alignment.sightings[i];
    const Node& theirs = view.segments[sighting.segment].graph.graph().nodes[sighting.seen.node];
    const Node& ours = ancestor.graph().nodes[alignment.layers[i].node];
    alignment.names[sighting.segment].emplace(theirs.inputs[0], ours.inputs[0]);
    alignment.names[sighting.segment].emplace(theirs.outputs[0], ours.outputs[0]);
  }
  for (size_t s = 0; s < view.segments.size(); ++s)
    ValueNamer(ancestor, view.segments[s].graph, alignment.names[s]).NameAll();
  return alignment;
}

}  // namespace soter::audit
