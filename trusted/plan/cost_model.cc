#include "trusted/plan/cost_model.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

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

// Room is what is left of the memory for larger weights. Each program that is compiled gives it to the operators that save
// the most time for a byte (common/compute/conv_choice.h).
class Room {
 public:
  explicit Room(const CostProfile& costs) : costs_(costs), left_(costs.spare_bytes) {}

  // Compile decides for the operators of one program, after all those before it.
  void Compile(const std::vector<uint32_t>& nodes) {
    large_.clear();
    if (costs_.extra_bytes.empty()) return;
    std::vector<uint32_t> wanting;
    for (uint32_t node : nodes)
      if (costs_.extra_bytes[node] > 0) wanting.push_back(node);
    std::ranges::stable_sort(wanting, std::greater(), [&](uint32_t node) { return GainPerByte(node); });
    for (uint32_t node : wanting) {
      if (costs_.extra_bytes[node] > left_) continue;
      left_ -= costs_.extra_bytes[node];
      large_.insert(node);
    }
  }

  // Of a node of the program that was compiled last.
  double EnclaveMs(uint32_t node) const {
    bool frugal = !costs_.extra_bytes.empty() && costs_.extra_bytes[node] > 0 && !large_.contains(node);
    return frugal ? costs_.frugal_ms[node] : costs_.enclave_ms[node];
  }

 private:
  double GainPerByte(uint32_t node) const {
    return (costs_.frugal_ms[node] - costs_.enclave_ms[node]) / static_cast<double>(costs_.extra_bytes[node]);
  }

  const CostProfile& costs_;
  uint64_t left_;
  std::set<uint32_t> large_;
};

// A node that is fused into its producer has no time of its own, unless the producer is elsewhere.
double EnclaveStageMs(const StaticGraph& graph, const Stage& stage, const CostProfile& costs, Room& room) {
  std::set<ValueId> outside(stage.inputs.begin(), stage.inputs.end());
  room.Compile(stage.nodes);
  double ms = 0;
  for (uint32_t index : stage.nodes) {
    const Node& node = graph.graph().nodes[index];
    bool reads_outside = !node.inputs.empty() && outside.contains(node.inputs[0]);
    bool alone = !IsLinear(node.op) && reads_outside;
    ms += alone ? ShadowMs(graph, index, costs) : room.EnclaveMs(index);
  }
  return ms;
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
    ValueId result = graph.graph().nodes[node].outputs[0];
    ahead += costs.hand_back_ms_per_mb * Megabytes(graph, result);
    time.accelerator = ahead;
    time.Await();
    time.Work(ReceivedMs(graph, result, costs));
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

std::vector<double> WholeInEnclaveMs(const CostProfile& costs) {
  std::vector<uint32_t> nodes(costs.enclave_ms.size());
  std::iota(nodes.begin(), nodes.end(), 0u);
  Room room(costs);
  room.Compile(nodes);
  std::vector<double> times;
  for (uint32_t node : nodes) times.push_back(room.EnclaveMs(node));
  return times;
}

double PredictMs(const StaticGraph& graph, const Plan& plan, const CostProfile& costs) {
  double ms = 0;
  Room room(costs);
  for (const Stage& stage : plan.stages)
    ms += stage.accelerator ? AcceleratorStageMs(graph, stage, plan, costs) : EnclaveStageMs(graph, stage, costs, room);
  return ms;
}

}  // namespace soter
