#include "tools/cli/model_cost.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "common/graph/op_traits.h"

namespace soter {

namespace {

// LastUses tells after which node each value is needed no more; outputs of the graph are needed to the end.
std::unordered_map<ValueId, size_t> LastUses(const Graph& graph) {
  std::unordered_map<ValueId, size_t> last;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId value : graph.nodes[i].inputs) last[value] = i;
    for (ValueId value : graph.nodes[i].outputs) last.try_emplace(value, i);
  }
  for (ValueId value : graph.outputs) last[value] = graph.nodes.size();
  return last;
}

Result<uint64_t> PeakActivationBytes(const StaticGraph& graph) {
  std::unordered_map<ValueId, size_t> last = LastUses(graph.graph());
  uint64_t live = 0, peak = 0;
  for (const GraphInput& input : graph.graph().inputs) live += TRY(SizeBytes(graph.type(input.value)));
  for (size_t i = 0; i < graph.graph().nodes.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    for (ValueId value : node.outputs) {
      if (value != kNoValue) live += TRY(SizeBytes(graph.type(value)));
    }
    peak = std::max(peak, live);
    std::set<ValueId> used(node.inputs.begin(), node.inputs.end());
    used.insert(node.outputs.begin(), node.outputs.end());
    for (ValueId value : used) {
      if (value == kNoValue || graph.initializer(value) != nullptr || last[value] != i) continue;
      live -= TRY(SizeBytes(graph.type(value)));
    }
  }
  return std::max(peak, live);
}

}  // namespace

Result<ModelCost> CostOf(const StaticGraph& graph) {
  ModelCost cost;
  for (const Node& node : graph.graph().nodes) {
    int64_t mul_adds = MulAdds(graph, node);
    bool linear = IsLinear(node.op);
    cost.mul_adds += mul_adds;
    cost.nodes += 1;
    cost.linear_mul_adds += linear ? mul_adds : 0;
    cost.linear_nodes += linear ? 1 : 0;
  }
  for (const Initializer& initializer : graph.graph().initializers) {
    cost.weight_bytes += TRY(SizeBytes(initializer.type));
  }
  cost.peak_activation_bytes = TRY(PeakActivationBytes(graph));
  return cost;
}

}  // namespace soter
