#include <unordered_map>

#include "owner/passes/evaluate.h"
#include "owner/passes/passes.h"

namespace soter {

Result<Graph> FoldConstants(Graph graph) {
  std::unordered_map<ValueId, std::shared_ptr<const Tensor>> constants;
  for (const Initializer& initializer : graph.initializers) constants[initializer.value] = initializer.data;
  for (Node& node : graph.nodes) {
    if (node.outputs.size() != 1) continue;
    std::vector<const Tensor*> operands;
    for (ValueId input : node.inputs) {
      const auto found = constants.find(input);
      operands.push_back(found != constants.end() ? found->second.get() : nullptr);
    }
    Result<std::optional<Tensor>> folded = EvaluateNode(node, operands);
    if (!folded.ok()) return Annotate(std::move(folded).error(), "node '" + node.name + "'");
    if (!folded->has_value()) continue;
    const ValueId value = node.outputs[0];
    auto data = std::make_shared<const Tensor>(std::move(**folded));
    constants[value] = data;
    graph.initializers.push_back({value, data->type(), data});
    node.outputs.clear();
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
