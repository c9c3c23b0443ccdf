#include "trusted/engine/shadow.h"

#include <algorithm>
#include <set>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

// Finds which values cross the border of `part`.
void FindBorder(const StaticGraph& graph, const Stage& whole, Stage& part) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  std::set<uint32_t> members(part.nodes.begin(), part.nodes.end());
  std::set<ValueId> made, needed(whole.outputs.begin(), whole.outputs.end());
  for (uint32_t index : whole.nodes)
    if (!members.contains(index)) needed.insert(nodes[index].inputs.begin(), nodes[index].inputs.end());
  for (uint32_t index : part.nodes) {
    for (ValueId value : nodes[index].inputs) {
      if (value == kNoValue || graph.initializer(value) != nullptr || made.contains(value)) continue;
      if (std::find(part.inputs.begin(), part.inputs.end(), value) == part.inputs.end()) part.inputs.push_back(value);
    }
    for (ValueId value : nodes[index].outputs) {
      made.insert(value);
      if (needed.contains(value)) part.outputs.push_back(value);
    }
  }
}

}  // namespace

Shadow ShadowOf(const StaticGraph& graph, const Stage& stage) {
  Shadow shadow;
  for (uint32_t index : stage.nodes) {
    if (!IsLinear(graph.graph().nodes[index].op)) {
      shadow.after.nodes.push_back(index);
      continue;
    }
    shadow.steps.push_back({std::move(shadow.after), index});
    shadow.after = {};
  }
  for (Shadow::Step& step : shadow.steps) FindBorder(graph, stage, step.before);
  FindBorder(graph, stage, shadow.after);
  return shadow;
}

}  // namespace soter
