#include "trusted/plan/layers.h"

#include <algorithm>
#include <optional>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

// The only layer that `node` takes values from, or nothing where there are several or none.
std::optional<uint32_t> OnlySource(const Node& node, const std::vector<uint32_t>& layer_of) {
  std::optional<uint32_t> source;
  for (ValueId value : node.inputs) {
    if (value == kNoValue || layer_of[value] == UINT32_MAX) continue;
    if (source.has_value() && *source != layer_of[value]) return std::nullopt;
    source = layer_of[value];
  }
  return source;
}

// A node that also takes an input of the network would make its layer take a value in its middle.
bool TakesGraphInput(const StaticGraph& graph, const Node& node, const std::vector<uint32_t>& layer_of) {
  return std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId value) {
    return value != kNoValue && layer_of[value] == UINT32_MAX && graph.initializer(value) == nullptr;
  });
}

void FindBorders(const StaticGraph& graph, const std::vector<uint32_t>& layer_of, std::vector<Layer>& layers) {
  const Graph& g = graph.graph();
  std::vector<bool> needed(g.value_names.size(), false);
  for (ValueId value : g.outputs) needed[value] = true;
  for (uint32_t l = 0; l < layers.size(); ++l)
    for (uint32_t node : layers[l].nodes)
      for (ValueId value : g.nodes[node].inputs) {
        if (value == kNoValue || graph.initializer(value) != nullptr || layer_of[value] == l) continue;
        needed[value] = true;
        std::vector<ValueId>& inputs = layers[l].inputs;
        if (std::find(inputs.begin(), inputs.end(), value) == inputs.end()) inputs.push_back(value);
      }
  for (Layer& layer : layers)
    for (uint32_t node : layer.nodes)
      for (ValueId value : g.nodes[node].outputs)
        if (value != kNoValue && needed[value]) layer.outputs.push_back(value);
}

}  // namespace

std::vector<Layer> DivideIntoLayers(const StaticGraph& graph) {
  const Graph& g = graph.graph();
  std::vector<Layer> layers;
  std::vector<uint32_t> layer_of(g.value_names.size(), UINT32_MAX);
  for (uint32_t i = 0; i < g.nodes.size(); ++i) {
    const Node& node = g.nodes[i];
    std::optional<uint32_t> source = OnlySource(node, layer_of);
    bool joins = source.has_value() && !IsLinear(node.op) && !TakesGraphInput(graph, node, layer_of);
    if (!joins) layers.emplace_back();
    uint32_t layer = joins ? *source : static_cast<uint32_t>(layers.size() - 1);
    layers[layer].nodes.push_back(i);
    for (ValueId value : node.outputs)
      if (value != kNoValue) layer_of[value] = layer;
  }
  FindBorders(graph, layer_of, layers);
  return layers;
}

}  // namespace soter
