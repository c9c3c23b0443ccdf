#include "trusted/engine/enclave_costs.h"

#include <algorithm>
#include <numeric>

#include "trusted/engine/subgraph.h"

namespace soter {
namespace {

size_t BytesOf(const StaticGraph& graph, ValueId value) {
  return value == kNoValue ? 0 : SizeBytes(graph.type(value)).value();
}

Result<Program> Compile(const StaticGraph& graph, std::span<const uint32_t> nodes, const WeightStore& weights, int threads,
                        const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs, size_t& spare_bytes) {
  StaticGraph part = TRY(Subgraph(graph, nodes, inputs, outputs));
  return Program::Compile(part, [&](const Initializer& initializer) { return weights.Get(initializer); },
                          {.threads = threads, .spare_bytes = &spare_bytes});
}

}  // namespace

size_t SpareBytes(const StaticGraph& graph) {
  size_t parameter_bytes = 0, widest_bytes = 0;
  for (const Initializer& initializer : graph.graph().initializers) parameter_bytes += BytesOf(graph, initializer.value);
  for (const Node& node : graph.graph().nodes) {
    size_t bytes = 0;
    for (ValueId value : node.inputs)
      if (value != kNoValue && graph.initializer(value) == nullptr) bytes += BytesOf(graph, value);
    for (ValueId value : node.outputs) bytes += BytesOf(graph, value);
    widest_bytes = std::max(widest_bytes, bytes);
  }
  return (parameter_bytes + widest_bytes) / 9 * 2;
}

Result<NetworkInEnclave> CompileInEnclave(const StaticGraph& graph, const WeightStore& weights, int threads,
                                          size_t& spare_bytes) {
  std::vector<ValueId> inputs, outputs;
  for (const GraphInput& input : graph.graph().inputs) inputs.push_back(input.value);
  for (ValueId value : graph.graph().outputs)
    if (graph.initializer(value) == nullptr && std::find(inputs.begin(), inputs.end(), value) == inputs.end())
      outputs.push_back(value);
  std::vector<uint32_t> order(graph.graph().nodes.size());
  std::iota(order.begin(), order.end(), 0u);
  Program program = TRY(Compile(graph, order, weights, threads, inputs, outputs, spare_bytes));
  return NetworkInEnclave{std::move(program), std::move(inputs), std::move(outputs)};
}

Result<std::vector<uint64_t>> ExtraBytes(const StaticGraph& graph, const WeightStore& weights, int threads) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  std::vector<uint64_t> extra_bytes(nodes.size(), 0);
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    bool may_grow = std::holds_alternative<Conv>(nodes[i].op) && graph.initializer(nodes[i].inputs[0]) == nullptr &&
                    graph.initializer(nodes[i].inputs[1]) != nullptr;
    if (!may_grow) continue;
    size_t room = SIZE_MAX;
    TRY(Compile(graph, std::span(&i, 1), weights, threads, {nodes[i].inputs[0]}, {nodes[i].outputs[0]}, room));
    extra_bytes[i] = SIZE_MAX - room;
  }
  return extra_bytes;
}

}  // namespace soter
