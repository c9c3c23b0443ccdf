#include "trusted/plan/policy_aegisdnn.h"

#include <algorithm>
#include <map>

namespace soter {
namespace {

double SumOver(const std::vector<uint32_t>& nodes, const std::vector<double>& times) {
  double sum = 0;
  for (uint32_t node : nodes) sum += times[node];
  return sum;
}

}  // namespace

ProtectionProblem MakeProtectionProblem(const StaticGraph& graph, std::span<const Layer> layers,
                                        std::span<const double> rates, const CostProfile& costs) {
  ProtectionProblem problem{.switch_ms = costs.switch_ms};
  // Room for larger weights goes to whoever comes first; a deadline has to hold without it.
  const std::vector<double>& enclave_ms = costs.frugal_ms.empty() ? costs.enclave_ms : costs.frugal_ms;
  std::map<ValueId, ProtectionProblem::Value> values;
  for (uint32_t l = 0; l < layers.size(); ++l) {
    const std::vector<uint32_t>& nodes = layers[l].nodes;
    problem.layers.push_back({SumOver(nodes, enclave_ms), SumOver(nodes, costs.accelerator_ms), rates[l]});
    for (ValueId value : layers[l].inputs) values[value].consumers.push_back(l);
    for (ValueId value : layers[l].outputs) values[value].producer = l;
  }
  const std::vector<ValueId>& outputs = graph.graph().outputs;
  for (auto& [id, value] : values) {
    value.is_output = value.producer >= 0 && std::find(outputs.begin(), outputs.end(), id) != outputs.end();
    value.send_ms = SentMs(graph, id, costs);
    value.receive_ms = ReceivedMs(graph, id, costs);
    problem.values.push_back(value);
  }
  return problem;
}

Selection OffloadedBy(const StaticGraph& graph, std::span<const Layer> layers, const Protection& protection) {
  Selection offloaded;
  for (size_t l = 0; l < layers.size(); ++l)
    for (uint32_t node : layers[l].nodes)
      if (protection.on_accelerator[l]) offloaded.insert(graph.graph().nodes[node].outputs[0]);
  return offloaded;
}

Placement PlaceAegisdnn(const StaticGraph& graph, const Selection& offloaded) {
  Placement placement;
  for (const Node& node : graph.graph().nodes) {
    bool there = offloaded.contains(node.outputs[0]);
    placement.push_back({.accelerator = there, .reason = there ? "faults in it seldom matter, or it would take too long"
                                                               : "protected"});
  }
  return placement;
}

}  // namespace soter
