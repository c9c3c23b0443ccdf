#include "trusted/plan/cost_model.h"

#include <algorithm>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

constexpr double kBytesPerMb = 1e6;

double Megabytes(const StaticGraph& graph, ValueId value) {
  return static_cast<double>(SizeBytes(graph.type(value)).value()) / kBytesPerMb;
}

// ChainTime follows a stage whose linear results come in one by one.
struct ChainTime {
  double accelerator = 0;  // when the accelerator has computed as far
  double enclave = 0;      // when the enclave is done as far, if neither side slows the other
  double work = 0;         // of the enclave in all

  void Work(double ms) { enclave += ms, work += ms; }
  void Await() { enclave = std::max(enclave, accelerator); }
};

// The enclave repeats what the accelerator computes between two linear operators.
double ShadowMs(const StaticGraph& graph, uint32_t node, const CostProfile& costs) {
  double pass = 0;
  for (ValueId value : graph.graph().nodes[node].outputs)
    if (value != kNoValue) pass += costs.pass_ms_per_mb * Megabytes(graph, value);
  return std::max(costs.enclave_ms[node], pass);
}

double CheckedStageMs(const StaticGraph& graph, const Stage& stage, const CostProfile& costs) {
  ChainTime time;
  double ahead = 0;  // the accelerator's time when it finishes a node
  std::vector<uint32_t> pending;
  for (uint32_t node : stage.nodes) {
    ahead += costs.accelerator_ms[node];
    if (!IsLinear(graph.graph().nodes[node].op)) {
      time.Work(ShadowMs(graph, node, costs));
      continue;
    }
    time.accelerator = ahead;
    time.Await();
    time.Work(ReceivedMs(graph, graph.graph().nodes[node].outputs[0], costs));
    if (!costs.check_ms.empty()) time.Work(costs.check_ms[node]);
  }
  double in_turns = ahead + time.work;
  return in_turns - costs.overlap * (in_turns - std::max(time.enclave, ahead));
}

double AcceleratorStageMs(const StaticGraph& graph, const Stage& stage, const Plan& plan, const CostProfile& costs) {
  double ms = costs.switch_ms;
  for (ValueId value : stage.inputs) ms += SentMs(graph, value, costs);
  if (plan.check == Check::kFreivalds) return ms + CheckedStageMs(graph, stage, costs);
  for (uint32_t node : stage.nodes) ms += costs.accelerator_ms[node];
  for (ValueId value : stage.outputs) ms += ReceivedMs(graph, value, costs);
  return ms;
}

}  // namespace

double SentMs(const StaticGraph& graph, ValueId value, const CostProfile& costs) {
  return costs.send_ms_per_mb * Megabytes(graph, value);
}

double ReceivedMs(const StaticGraph& graph, ValueId value, const CostProfile& costs) {
  return costs.receive_ms_per_mb * Megabytes(graph, value);
}

double PredictMs(const StaticGraph& graph, const Plan& plan, const CostProfile& costs) {
  double ms = 0;
  for (const Stage& stage : plan.stages) {
    if (stage.accelerator) ms += AcceleratorStageMs(graph, stage, plan, costs);
    else
      for (uint32_t node : stage.nodes) ms += costs.enclave_ms[node];
  }
  return ms;
}

}  // namespace soter
