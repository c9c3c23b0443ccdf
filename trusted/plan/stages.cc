#include "trusted/plan/stages.h"

#include <algorithm>
#include <functional>
#include <queue>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

// Ready nodes of one side, in graph order, so that a stage keeps the order of the graph where it can.
using ReadyQueue = std::priority_queue<uint32_t, std::vector<uint32_t>, std::greater<>>;

struct Dependencies {
  std::vector<uint32_t> waiting;                 // per node: operands not computed yet
  std::vector<std::vector<uint32_t>> consumers;  // per value
};

Dependencies FindDependencies(const StaticGraph& graph) {
  const Graph& g = graph.graph();
  std::vector<bool> computed(g.value_names.size(), false);
  for (const Node& node : g.nodes)
    for (ValueId value : node.outputs) computed[value] = true;
  Dependencies result{std::vector<uint32_t>(g.nodes.size(), 0), std::vector<std::vector<uint32_t>>(g.value_names.size())};
  for (uint32_t i = 0; i < g.nodes.size(); ++i)
    for (ValueId value : g.nodes[i].inputs)
      if (value != kNoValue && computed[value]) {
        ++result.waiting[i];
        result.consumers[value].push_back(i);
      }
  return result;
}

std::vector<Stage> OrderNodes(const StaticGraph& graph, const Placement& placement, Check check) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  Dependencies dependencies = FindDependencies(graph);
  ReadyQueue ready[2];
  for (uint32_t i = 0; i < nodes.size(); ++i)
    if (dependencies.waiting[i] == 0) ready[placement[i].accelerator].push(i);
  std::vector<Stage> stages;
  for (bool side = ready[0].empty(); !ready[0].empty() || !ready[1].empty(); side = !side) {
    Stage stage{.accelerator = side};
    const size_t most = side && check == Check::kFingerprint ? 1 : nodes.size();
    while (!ready[side].empty() && stage.nodes.size() < most) {
      uint32_t node = ready[side].top();
      ready[side].pop();
      stage.nodes.push_back(node);
      for (ValueId value : nodes[node].outputs)
        for (uint32_t consumer : dependencies.consumers[value])
          if (--dependencies.waiting[consumer] == 0) ready[placement[consumer].accelerator].push(consumer);
    }
    if (!stage.nodes.empty()) stages.push_back(std::move(stage));
  }
  return stages;
}

void FindEdges(const StaticGraph& graph, std::vector<Stage>& stages) {
  const Graph& g = graph.graph();
  std::vector<uint32_t> stage_of(g.value_names.size(), UINT32_MAX);
  std::vector<bool> needed(g.value_names.size(), false);
  for (ValueId value : g.outputs) needed[value] = true;
  for (uint32_t s = 0; s < stages.size(); ++s)
    for (uint32_t node : stages[s].nodes)
      for (ValueId value : g.nodes[node].outputs) stage_of[value] = s;
  for (uint32_t s = 0; s < stages.size(); ++s)
    for (uint32_t node : stages[s].nodes)
      for (ValueId value : g.nodes[node].inputs) {
        if (value == kNoValue || graph.initializer(value) != nullptr || stage_of[value] == s) continue;
        needed[value] = true;
        std::vector<ValueId>& inputs = stages[s].inputs;
        if (std::find(inputs.begin(), inputs.end(), value) == inputs.end()) inputs.push_back(value);
      }
  for (Stage& stage : stages)
    for (uint32_t node : stage.nodes)
      for (ValueId value : g.nodes[node].outputs)
        if (needed[value]) stage.outputs.push_back(value);
}

}  // namespace

bool HasLinear(const StaticGraph& graph, const Stage& stage) {
  return std::ranges::any_of(stage.nodes, [&](uint32_t node) { return IsLinear(graph.graph().nodes[node].op); });
}

std::vector<Stage> ArrangeStages(const StaticGraph& graph, Placement& placement, Check check) {
  for (;;) {
    std::vector<Stage> stages = SplitIntoStages(graph, placement, check);
    bool changed = false;
    for (const Stage& stage : stages) {
      if (check != Check::kFreivalds || !stage.accelerator || HasLinear(graph, stage)) continue;
      for (uint32_t node : stage.nodes) placement[node] = {.reason = "its segment would return nothing to check"};
      changed = true;
    }
    if (!changed) return stages;  // else there is one node less on the accelerator
  }
}

std::vector<ValueId> ReturnedValues(const StaticGraph& graph, Check check, const Stage& stage) {
  if (check != Check::kFreivalds) return stage.outputs;
  std::vector<ValueId> values;
  for (uint32_t index : stage.nodes)
    if (IsLinear(graph.graph().nodes[index].op)) values.push_back(graph.graph().nodes[index].outputs[0]);
  return values;
}

std::vector<Stage> SplitIntoStages(const StaticGraph& graph, const Placement& placement, Check check) {
  std::vector<Stage> stages = OrderNodes(graph, placement, check);
  FindEdges(graph, stages);
  return stages;
}

}  // namespace soter
