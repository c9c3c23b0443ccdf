#include <algorithm>

#include "owner/passes/passes.h"

namespace soter {

Graph RemoveDeadCode(Graph graph) {
  std::vector<bool> needed(graph.value_names.size());
  for (ValueId output : graph.outputs) needed[output] = true;
  // Backwards: a node's readers stand behind it, so they have been seen.
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool live = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId v) { return needed[v]; });
    if (!live) {
      node->outputs.clear();
      continue;
    }
    for (ValueId input : node->inputs) {
      if (input != kNoValue) needed[input] = true;
    }
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  std::erase_if(graph.initializers, [&](const Initializer& i) { return !needed[i.value]; });
  return graph;
}

}  // namespace soter
