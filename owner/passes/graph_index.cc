#include "owner/passes/graph_index.h"

#include "common/graph/bind.h"

namespace soter {

GraphIndex::GraphIndex(const Graph& graph)
    : graph_(graph),
      producer_(graph.value_names.size(), UINT32_MAX),
      initializer_(graph.value_names.size(), UINT32_MAX),
      uses_(graph.value_names.size(), 0) {
  for (size_t i = 0; i < graph.initializers.size(); ++i) {
    initializer_[graph.initializers[i].value] = static_cast<uint32_t>(i);
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId output : graph.nodes[i].outputs) producer_[output] = static_cast<uint32_t>(i);
    for (ValueId input : graph.nodes[i].inputs) {
      if (input != kNoValue) ++uses_[input];
    }
  }
  for (ValueId output : graph.outputs) ++uses_[output];
}

const Node* GraphIndex::producer(ValueId value) const {
  if (value >= producer_.size() || producer_[value] == UINT32_MAX) return nullptr;
  return &graph_.nodes[producer_[value]];
}

const Node* GraphIndex::Producer(ValueId value, UnaryKind kind) const {
  const Node* node = Producer<Unary>(value);
  return node != nullptr && std::get<Unary>(node->op).kind == kind ? node : nullptr;
}

const Node* GraphIndex::Producer(ValueId value, BinaryKind kind) const {
  const Node* node = Producer<Binary>(value);
  return node != nullptr && std::get<Binary>(node->op).kind == kind ? node : nullptr;
}

const Tensor* GraphIndex::constant(ValueId value) const {
  if (value >= initializer_.size() || initializer_[value] == UINT32_MAX) return nullptr;
  return graph_.initializers[initializer_[value]].data.get();
}

std::optional<float> GraphIndex::scalar(ValueId value) const {
  const Tensor* tensor = constant(value);
  if (tensor == nullptr || tensor->dtype() != DType::kFloat32 || tensor->As<float>().size() != 1) return std::nullopt;
  return tensor->As<float>()[0];
}

ValueId AddConstant(Graph& graph, Tensor tensor) {
  const ValueId value = graph.AddValue("");
  TensorType type = tensor.type();
  graph.initializers.push_back({value, std::move(type), std::make_shared<const Tensor>(std::move(tensor))});
  return value;
}

std::vector<std::optional<size_t>> ValueRanks(const Graph& graph) {
  std::vector<std::optional<size_t>> ranks(graph.value_names.size());
  Result<ValidatedGraph> valid = ValidatedGraph::Validate(graph);
  if (!valid.ok()) return ranks;
  // Any extent gives the same ranks; a network may refuse a small one.
  for (int64_t extent : {2, 8, 32}) {
    const Result<StaticGraph> bound = Bind(*valid, DefaultShapes(valid->graph(), extent));
    if (!bound.ok()) continue;
    const auto note = [&](ValueId value) {
      // Bind adds values of its own behind the graph's.
      if (value < ranks.size()) ranks[value] = bound->type(value).shape.size();
    };
    for (const Node& node : bound->graph().nodes) {
      for (ValueId value : node.inputs) note(value);
      for (ValueId value : node.outputs) note(value);
    }
    break;
  }
  return ranks;
}

}  // namespace soter
