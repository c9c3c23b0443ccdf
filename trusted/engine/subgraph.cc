#include "trusted/engine/subgraph.h"

#include <map>
#include <set>

#include "common/graph/op_traits.h"
#include "trusted/mask/scales.h"

namespace soter {
namespace {

std::vector<Dim> ConstantDims(const Shape& shape) {
  std::vector<Dim> dims;
  for (int64_t extent : shape) dims.push_back(Dim::Constant(extent));
  return dims;
}

// Builder renumbers values in the order in which it meets them.
class Builder {
 public:
  Builder(const StaticGraph& whole, const ScaleFunction& scale, const Uploader& upload)
      : whole_(whole), scale_(scale), upload_(upload) {}

  void AddInput(ValueId value) {
    const TensorType& type = whole_.type(value);
    graph_.inputs.push_back({Fresh(value, "in" + std::to_string(graph_.inputs.size())), type.dtype, ConstantDims(type.shape)});
  }

  Status AddNode(const Node& node) {
    Node copy{"n" + std::to_string(graph_.nodes.size()), node.op, {}, {}};
    for (size_t k = 0; k < node.inputs.size(); ++k) copy.inputs.push_back(TRY(Operand(node, k)));
    for (ValueId value : node.outputs) copy.outputs.push_back(value == kNoValue ? kNoValue : Fresh(value, ""));
    graph_.nodes.push_back(std::move(copy));
    return {};
  }

  Graph Finish(std::span<const ValueId> outputs) && {
    for (size_t i = 0; i < outputs.size(); ++i) {
      ValueId local = local_.at(outputs[i]);
      graph_.value_names[local] = "out" + std::to_string(i);
      graph_.outputs.push_back(local);
    }
    return std::move(graph_);
  }

 private:
  ValueId Fresh(ValueId value, std::string name) { return local_[value] = graph_.AddValue(std::move(name)); }

  Result<ValueId> Operand(const Node& node, size_t k) {
    ValueId value = node.inputs[k];
    if (value == kNoValue) return kNoValue;
    const Initializer* constant = whole_.initializer(value);
    if (constant == nullptr) return local_.at(value);
    OperandRole role = RoleOf(whole_, node, k);
    if (role == OperandRole::kStructure) return Inline(*constant);
    float factor = scale_(node.outputs[0]);
    ValueId data = DataInput(whole_, node);
    if (role == OperandRole::kWeight && data != kNoValue) factor /= scale_(data);
    return Parameter(*constant, factor);
  }

  Result<ValueId> Inline(const Initializer& constant) {
    auto [entry, fresh] = inlined_.try_emplace(constant.value, kNoValue);
    if (fresh) {
      entry->second = graph_.AddValue("");
      graph_.initializers.push_back({entry->second, constant.type, constant.data, kNoWeight});
    }
    return entry->second;
  }

  Result<ValueId> Parameter(const Initializer& constant, float factor) {
    WeightId weight = TRY(upload_({constant, factor}));
    auto [entry, fresh] = parameters_.try_emplace(weight, kNoValue);
    if (fresh) {
      entry->second = graph_.AddValue("");
      graph_.initializers.push_back({entry->second, constant.type, nullptr, weight});
    }
    return entry->second;
  }

  const StaticGraph& whole_;
  const ScaleFunction& scale_;
  const Uploader& upload_;
  Graph graph_;
  std::map<ValueId, ValueId> local_, inlined_;
  std::map<WeightId, ValueId> parameters_;
};

}  // namespace

Result<StaticGraph> Subgraph(const StaticGraph& whole, std::span<const uint32_t> nodes,
                             std::span<const ValueId> inputs, std::span<const ValueId> outputs) {
  Graph part;
  // Inner values become inputs and outputs here and need names; the network's own could clash with new ones.
  for (size_t i = 0; i < whole.graph().value_names.size(); ++i) part.AddValue("v" + std::to_string(i));
  std::vector<Shape> shapes;
  for (ValueId value : inputs) {
    const TensorType& type = whole.type(value);
    part.inputs.push_back({value, type.dtype, ConstantDims(type.shape)});
    shapes.push_back(type.shape);
  }
  part.outputs.assign(outputs.begin(), outputs.end());
  std::set<ValueId> constants;
  for (uint32_t index : nodes) {
    part.nodes.push_back(whole.graph().nodes[index]);
    for (ValueId value : part.nodes.back().inputs)
      if (value != kNoValue && whole.initializer(value) != nullptr && constants.insert(value).second)
        part.initializers.push_back(*whole.initializer(value));
  }
  return Bind(TRY(ValidatedGraph::Validate(std::move(part))), shapes);
}

Result<Graph> AcceleratorGraph(const StaticGraph& whole, std::span<const uint32_t> nodes,
                               std::span<const ValueId> inputs, std::span<const ValueId> outputs,
                               const ScaleFunction& scale, const Uploader& upload) {
  Builder builder(whole, scale, upload);
  for (ValueId value : inputs) builder.AddInput(value);
  for (uint32_t index : nodes) TRY(builder.AddNode(whole.graph().nodes[index]));
  return std::move(builder).Finish(outputs);
}

}  // namespace soter
