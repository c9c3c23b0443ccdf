#include "audit/attacks/evaluator.h"

#include <algorithm>
#include <set>

namespace soter::audit {
namespace {

std::string NameOf(ValueId value) { return "value " + std::to_string(value); }

// Cut is the chosen nodes as a graph of their own, with every value on the way as an output.
Graph Cut(const StaticGraph& whole, std::span<const size_t> nodes, std::span<const ValueId> given) {
  const Graph& source = whole.graph();
  Graph graph;
  graph.value_names.assign(source.value_names.size(), "");
  std::set<ValueId> used;
  for (size_t i : nodes) {
    const Node& node = source.nodes[i];
    graph.nodes.push_back(node);
    used.insert(node.inputs.begin(), node.inputs.end());
    for (ValueId value : node.outputs) {
      graph.value_names[value] = NameOf(value);
      graph.outputs.push_back(value);
    }
  }
  for (ValueId value : given) {
    if (!used.contains(value)) continue;
    GraphInput input{value, whole.type(value).dtype, {}};
    for (int64_t extent : whole.type(value).shape) input.shape.push_back(Dim::Constant(extent));
    graph.value_names[value] = NameOf(value);
    graph.inputs.push_back(std::move(input));
  }
  for (const Initializer& initializer : source.initializers)
    if (used.contains(initializer.value)) graph.initializers.push_back(initializer);
  return graph;
}

Result<std::shared_ptr<const Tensor>> DataOf(const Initializer& initializer) {
  if (initializer.data == nullptr) return InvalidArgument("a constant of the graph has no data");
  return initializer.data;
}

}  // namespace

Result<Evaluator> Evaluator::Make(const StaticGraph& whole, std::span<const size_t> nodes,
                                  std::span<const ValueId> given) {
  ValidatedGraph graph = TRY(ValidatedGraph::Validate(Cut(whole, nodes, given)));
  std::vector<Shape> shapes;
  for (const GraphInput& input : graph.graph().inputs) shapes.push_back(whole.type(input.value).shape);
  StaticGraph bound = TRY(Bind(graph, shapes));
  ProgramOptions options;
  options.tuning = Tuning::kFixed;
  Program program = TRY(Program::Compile(bound, DataOf, options));
  return Evaluator(std::move(bound), std::move(program));
}

Result<Values> Evaluator::Run(const Values& given) {
  std::vector<const std::byte*> inputs;
  for (const GraphInput& input : graph_.graph().inputs) {
    auto found = given.find(input.value);
    if (found == given.end() || found->second.type() != graph_.type(input.value))
      return InvalidArgument("a value to compute with is missing or of another type");
    inputs.push_back(found->second.bytes().data());
  }
  std::vector<Tensor> tensors;
  std::vector<std::byte*> outputs;
  for (ValueId value : graph_.graph().outputs) {
    tensors.push_back(TRY(Tensor::Allocate(graph_.type(value))));
    outputs.push_back(tensors.back().mutable_bytes().data());
  }
  TRY(program_.Run(inputs, outputs));
  Values values;
  for (size_t i = 0; i < tensors.size(); ++i) values.emplace(graph_.graph().outputs[i], std::move(tensors[i]));
  return values;
}

}  // namespace soter::audit
