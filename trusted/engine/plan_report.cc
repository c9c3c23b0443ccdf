#include "trusted/engine/plan_report.h"

#include <set>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

void CountWeights(const StaticGraph& graph, const Node& node, std::set<ValueId>& seen, uint64_t& bytes) {
  for (ValueId value : node.inputs) {
    const Initializer* constant = value == kNoValue ? nullptr : graph.initializer(value);
    if (constant != nullptr && seen.insert(value).second) bytes += SizeBytes(constant->type).value();
  }
}

uint64_t BytesOf(const StaticGraph& graph, const std::vector<ValueId>& values) {
  uint64_t bytes = 0;
  for (ValueId value : values) bytes += SizeBytes(graph.type(value)).value();
  return bytes;
}

void AddMeasured(const Choice& choice, const std::vector<double>& enclave_ms, uint32_t index, control::NodePlan& row) {
  row.enclave_ms = enclave_ms[index];
  if (!choice.costs.accelerator_ms.empty()) row.accelerator_ms = choice.costs.accelerator_ms[index];
  if (!choice.node_rate.empty()) row.fault_rate = choice.node_rate[index];
}

void AddPrediction(const StaticGraph& graph, const Plan& plan, const Choice& choice, control::PlanReport& report) {
  report.expected_ms = PredictMs(graph, plan, choice.costs);
  report.predicted = true;
  report.faults = choice.faults;
  if (choice.protection.has_value()) report.fault_rate = choice.protection->rate;
}

}  // namespace

control::PlanReport ReportPlan(const StaticGraph& graph, const Plan& plan, std::span<const double> node_ms,
                               const Choice* choice) {
  control::PlanReport report;
  std::set<ValueId> enclave_weights, accelerator_weights;
  std::vector<double> enclave_ms;
  if (choice != nullptr) enclave_ms = WholeInEnclaveMs(choice->costs);
  for (uint32_t s = 0; s < plan.stages.size(); ++s) {
    const Stage& stage = plan.stages[s];
    for (uint32_t index : stage.nodes) {
      const Node& node = graph.graph().nodes[index];
      const NodePlacement& placed = plan.placement[index];
      control::NodePlan row{node.name, OpName(node.op), TypeString(graph.type(node.outputs[0])), placed.accelerator,
                            placed.masked, placed.checked, IsLinear(node.op), s, MulAdds(graph, node),
                            node_ms.empty() ? 0.0 : node_ms[index]};
      row.value = node.outputs[0];
      row.reason = placed.reason;
      if (choice != nullptr) AddMeasured(*choice, enclave_ms, index, row);
      report.linear_total += row.linear;
      report.linear_offloaded += row.linear && row.accelerator;
      report.mul_adds_total += row.mul_adds;
      report.mul_adds_offloaded += row.accelerator ? row.mul_adds : 0;
      report.expected_ms += row.enclave_ms;
      if (placed.accelerator) CountWeights(graph, node, accelerator_weights, report.accelerator_weight_bytes);
      else CountWeights(graph, node, enclave_weights, report.enclave_weight_bytes);
      report.nodes.push_back(std::move(row));
    }
    if (!stage.accelerator) continue;
    ++report.switches;
    report.bytes_sent += BytesOf(graph, stage.inputs);
    report.bytes_received += BytesOf(graph, ReturnedValues(graph, plan.check, stage));
  }
  if (choice != nullptr) AddPrediction(graph, plan, *choice, report);
  report.notice = Notice(plan.scheme, plan.check);
  return report;
}

}  // namespace soter
