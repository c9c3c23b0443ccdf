#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/graph/bind.h"

namespace soter {

// GraphBuilder writes small graphs for tests in few words.
class GraphBuilder {
 public:
  ValueId Input(const std::string& name, std::vector<Dim> shape, DType dtype = DType::kFloat32) {
    ValueId value = graph_.AddValue(name);
    graph_.inputs.push_back({value, dtype, std::move(shape)});
    return value;
  }
  ValueId Input(const std::string& name, const Shape& extents, DType dtype = DType::kFloat32) {
    std::vector<Dim> shape;
    for (int64_t extent : extents) shape.push_back(Dim::Constant(extent));
    return Input(name, std::move(shape), dtype);
  }
  Dim Symbol(const std::string& name) {
    graph_.symbols.push_back(name);
    return Dim::Symbol(static_cast<uint32_t>(graph_.symbols.size() - 1));
  }
  ValueId Constant(Tensor tensor) {
    TensorType type = tensor.type();
    graph_.initializers.push_back(
        {graph_.AddValue(""), std::move(type), std::make_shared<const Tensor>(std::move(tensor))});
    return graph_.initializers.back().value;
  }
  ValueId Integers(std::initializer_list<int64_t> values) {
    return Constant(Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values));
  }
  ValueId Scalar(int64_t value) { return Constant(Tensor::FromValues<int64_t>({}, {value})); }
  // Weight is an initializer without data.
  ValueId Weight(Shape shape, DType dtype = DType::kFloat32) {
    graph_.initializers.push_back({graph_.AddValue(""), {dtype, std::move(shape)}, nullptr});
    return graph_.initializers.back().value;
  }
  std::vector<ValueId> AddNode(Op op, std::vector<ValueId> inputs, size_t output_count) {
    std::string name = std::to_string(graph_.nodes.size()).insert(0, 1, 'n');
    std::vector<ValueId> outputs;
    for (size_t i = 0; i < output_count; ++i) outputs.push_back(graph_.AddValue(""));
    graph_.nodes.push_back({name, std::move(op), std::move(inputs), outputs});
    return outputs;
  }
  ValueId Add(Op op, std::vector<ValueId> inputs) { return AddNode(std::move(op), std::move(inputs), 1)[0]; }
  void Output(ValueId value, const std::string& name = "y") {
    if (graph_.value_names[value].empty()) graph_.value_names[value] = name;
    graph_.outputs.push_back(value);
  }

  Graph& graph() { return graph_; }
  Result<ValidatedGraph> Validate() const { return ValidatedGraph::Validate(graph_); }
  Result<StaticGraph> Bind(const std::vector<Shape>& shapes) const {
    ValidatedGraph graph = TRY(Validate());
    return soter::Bind(graph, shapes);
  }

 private:
  Graph graph_;
};

}  // namespace soter
