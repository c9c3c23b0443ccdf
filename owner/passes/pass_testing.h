#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "owner/passes/graph_writer.h"
#include "owner/passes/passes.h"

// What the tests of the passes share.
namespace soter {

// TestGraph writes the graph before a pass; unlike GraphWriter it evaluates nothing and names its output.
class TestGraph {
 public:
  // Extents below zero are symbolic.
  ValueId Input(const Shape& shape, const std::string& name = "x") {
    std::vector<Dim> dims;
    for (int64_t extent : shape) dims.push_back(extent < 0 ? builder_.Symbol("batch") : Dim::Constant(extent));
    return builder_.AddInput(name, DType::kFloat32, dims);
  }
  ValueId Floats(const Shape& shape, const std::vector<float>& values) {
    return builder_.AddConstant(Tensor::FromValues<float>(shape, values));
  }
  ValueId Filled(const Shape& shape, float value) {
    return Floats(shape, std::vector<float>(static_cast<size_t>(ElementCount(shape).value()), value));
  }
  ValueId Scalar(float value) { return builder_.AddScalar(value); }
  ValueId Int64s(const std::vector<int64_t>& values) { return builder_.AddInt64s(values); }
  ValueId Node(Op op, std::vector<ValueId> inputs) {
    return builder_.EmitMany(Numbered("n", ++nodes_), std::move(op), std::move(inputs), 1)[0];
  }
  std::vector<ValueId> Nodes(Op op, std::vector<ValueId> inputs, size_t outputs) {
    return builder_.EmitMany(Numbered("n", ++nodes_), std::move(op), std::move(inputs), outputs);
  }
  // Take ends the graph with its outputs, called "y", "y2", and so on.
  Graph Take(const std::vector<ValueId>& outputs) {
    int count = 0;
    for (ValueId output : outputs) {
      builder_.SetName(output, ++count == 1 ? "y" : Numbered("y", count));
      builder_.AddOutput(output);
    }
    return std::move(builder_).Take();
  }

 private:
  static std::string Numbered(std::string prefix, int number) { return prefix.append(std::to_string(number)); }

  GraphWriter builder_;
  int nodes_ = 0;
};

// Names lists the operators of a graph in order, after checking that it is valid.
inline std::vector<std::string> Names(const Graph& graph) {
  const Result<ValidatedGraph> valid = ValidatedGraph::Validate(graph);
  EXPECT_TRUE(valid.ok()) << valid.error().message;
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(OpName(node.op));
  return names;
}

inline std::vector<float> FloatsOf(const Graph& graph, ValueId value) {
  for (const Initializer& initializer : graph.initializers) {
    if (initializer.value != value) continue;
    return {initializer.data->As<float>().begin(), initializer.data->As<float>().end()};
  }
  ADD_FAILURE() << "value " << value << " is no constant";
  return {};
}

inline Graph Must(Result<Graph> graph) {
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  return graph.ok() ? std::move(*graph) : Graph{};
}

inline Window WindowOf(std::vector<int64_t> kernel, int64_t pad = 0) {
  const std::vector<int64_t> ones(kernel.size(), 1), pads(kernel.size(), pad);
  return {std::move(kernel), ones, ones, pads, pads};
}

}  // namespace soter
