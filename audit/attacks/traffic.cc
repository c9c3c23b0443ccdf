#include "audit/attacks/traffic.h"

#include <algorithm>
#include <numeric>

#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

Tensor Descaled(const Tensor& tensor, double scale) {
  Tensor plain = tensor.Clone();
  if (plain.dtype() != DType::kFloat32) return plain;
  for (float& value : plain.MutableAs<float>()) value = static_cast<float>(value / scale);
  return plain;
}

}  // namespace

Status Traffic::AddSegment(const View& view, size_t segment, const std::map<ValueId, ValueId>& names,
                           const ValueScales& scales) {
  const Graph& graph = view.segments[segment].graph.graph();
  std::vector<size_t> nodes(graph.nodes.size());
  std::iota(nodes.begin(), nodes.end(), 0);
  std::vector<ValueId> given;
  for (const GraphInput& input : graph.inputs) given.push_back(input.value);
  Evaluator evaluator = TRY(Evaluator::Make(view.segments[segment].graph, nodes, given));
  for (size_t q = 0; q < queries_.size(); ++q) {
    const SeenRun* run = view.RunOf(segment, q);
    if (run == nullptr) continue;
    Values inputs;
    for (size_t i = 0; i < given.size(); ++i) inputs.emplace(given[i], run->inputs[i].Clone());
    Values all = TRY(evaluator.Run(inputs));
    all.merge(inputs);
    for (const auto& [value, tensor] : all) {
      auto name = names.find(value);
      if (name == names.end()) continue;
      queries_[q].emplace(name->second, Descaled(tensor, scales.Of(name->second)));
    }
  }
  return {};
}

void Traffic::AddOwnQueries(const StaticGraph& ancestor, const View& view) {
  for (size_t q = 0; q < queries_.size() && q < view.queries.size(); ++q) {
    const OwnQuery& own = view.queries[q];
    for (size_t i = 0; i < own.inputs.size() && i < ancestor.graph().inputs.size(); ++i)
      queries_[q].insert_or_assign(ancestor.graph().inputs[i].value, own.inputs[i].Clone());
    for (size_t i = 0; i < own.outputs.size() && i < ancestor.graph().outputs.size(); ++i)
      if (own.outputs[i].type() == ancestor.type(ancestor.graph().outputs[i]))
        queries_[q].insert_or_assign(ancestor.graph().outputs[i], own.outputs[i].Clone());
  }
}

// Nodes without a secret weight whose operands are known. Constants of the ancestor (a LayerNorm's scale) stand for
// the victim's.
Status Traffic::AddConsequences(const StaticGraph& ancestor) {
  std::vector<size_t> nodes;
  std::map<ValueId, bool> known;
  std::vector<ValueId> given;
  for (const auto& [value, tensor] : queries_.front()) known[value] = true, given.push_back(value);
  auto available = [&](ValueId value) {
    return value == kNoValue || known.contains(value) || ancestor.initializer(value) != nullptr;
  };
  for (size_t i = 0; i < ancestor.graph().nodes.size(); ++i) {
    const Node& node = ancestor.graph().nodes[i];
    if (IsLinear(node.op) || known.contains(node.outputs[0]) || !std::ranges::all_of(node.inputs, available)) continue;
    nodes.push_back(i);
    for (ValueId value : node.outputs) known[value] = true;
  }
  if (nodes.empty()) return {};
  Evaluator evaluator = TRY(Evaluator::Make(ancestor, nodes, given));
  for (Values& values : queries_) {
    Result<Values> more = evaluator.Run(values);
    if (!more.ok()) continue;  // a query of which less was seen
    values.merge(*more);
  }
  return {};
}

Result<Traffic> Traffic::Make(const StaticGraph& ancestor, const View& view, const Alignment& alignment,
                              const ValueScales& scales) {
  Traffic traffic;
  traffic.queries_.resize(std::max(view.QueryCount(), view.queries.size()));
  if (traffic.queries_.empty()) return traffic;
  for (size_t s = 0; s < view.segments.size(); ++s) TRY(traffic.AddSegment(view, s, alignment.names[s], scales));
  traffic.AddOwnQueries(ancestor, view);
  TRY(traffic.AddConsequences(ancestor));
  return traffic;
}

Result<Traffic> Traffic::FromSent(const StaticGraph& ancestor, const View& view, const Alignment& alignment,
                                  const Pads& pads) {
  Traffic traffic;
  traffic.queries_.resize(std::max(view.QueryCount(), view.queries.size()));
  if (traffic.queries_.empty()) return traffic;
  for (const auto& [place, pad] : pads) {
    auto [segment, index] = place;
    auto name = alignment.names[segment].find(view.segments[segment].graph.graph().inputs[index].value);
    if (name == alignment.names[segment].end()) continue;
    for (size_t q = 0; q < traffic.queries_.size(); ++q) {
      const SeenRun* run = view.RunOf(segment, q);
      if (run == nullptr) continue;
      Tensor plain = run->inputs[index].Clone();
      std::span<float> values = plain.MutableAs<float>();
      for (size_t j = 0; j < values.size(); ++j) values[j] = static_cast<float>(values[j] - pad[j]);
      traffic.queries_[q].emplace(name->second, std::move(plain));
    }
  }
  traffic.AddOwnQueries(ancestor, view);
  TRY(traffic.AddConsequences(ancestor));
  return traffic;
}

Result<Traffic> Traffic::FromValues(const StaticGraph& ancestor, std::vector<Values> queries) {
  Traffic traffic;
  traffic.queries_ = std::move(queries);
  if (!traffic.queries_.empty()) TRY(traffic.AddConsequences(ancestor));
  return traffic;
}

const Tensor* Traffic::Find(size_t query, ValueId value) const {
  auto found = queries_[query].find(value);
  return found == queries_[query].end() ? nullptr : &found->second;
}

}  // namespace soter::audit
