#include "trusted/plan/ride_along.h"

namespace soter {
namespace {

struct ValueUses {
  std::vector<uint32_t> producer;               // node, or UINT32_MAX
  std::vector<std::vector<uint32_t>> consumers;  // nodes
};

ValueUses FindUses(const Graph& graph) {
  ValueUses uses{std::vector<uint32_t>(graph.value_names.size(), UINT32_MAX),
                 std::vector<std::vector<uint32_t>>(graph.value_names.size())};
  for (uint32_t i = 0; i < graph.nodes.size(); ++i) {
    for (ValueId value : graph.nodes[i].outputs) uses.producer[value] = i;
    for (ValueId value : graph.nodes[i].inputs)
      if (value != kNoValue) uses.consumers[value].push_back(i);
  }
  return uses;
}

}  // namespace

void RideAlong(const StaticGraph& graph, const std::function<bool(const Node&)>& may_ride, bool trailing,
               const NodePlacement& rider, Placement& placement) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  ValueUses uses = FindUses(graph.graph());
  std::vector<bool> riding(nodes.size(), false);
  auto on_accelerator = [&](uint32_t node) { return placement[node].accelerator || riding[node]; };
  for (uint32_t i = 0; i < nodes.size(); ++i) {
    if (placement[i].accelerator || !may_ride(nodes[i])) continue;
    for (ValueId value : nodes[i].inputs)
      if (value != kNoValue && uses.producer[value] != UINT32_MAX && on_accelerator(uses.producer[value])) riding[i] = true;
  }
  for (uint32_t i = static_cast<uint32_t>(nodes.size()); i-- > 0;) {  // backwards, so that a chain stays or goes whole
    if (!riding[i]) continue;
    bool needed = trailing;
    for (ValueId value : nodes[i].outputs)
      for (uint32_t consumer : uses.consumers[value]) needed = needed || on_accelerator(consumer);
    riding[i] = needed;
  }
  for (uint32_t i = 0; i < nodes.size(); ++i)
    if (riding[i]) placement[i] = rider;
}

}  // namespace soter
