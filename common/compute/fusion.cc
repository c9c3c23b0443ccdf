#include "common/compute/fusion.h"

#include <algorithm>

namespace soter::compute {

namespace {

// Readers knows, of every value, how many operands read it and which node reads it last.
class Readers {
 public:
  explicit Readers(const Graph& graph) : count_(graph.value_names.size()), last_(graph.value_names.size()) {
    for (uint32_t n = 0; n < graph.nodes.size(); ++n) {
      for (ValueId value : graph.nodes[n].inputs) {
        if (value == kNoValue) continue;
        ++count_[value];
        last_[value] = n;
      }
    }
    for (ValueId value : graph.outputs) count_[value] += 2;  // never absorbed
  }
  bool HasOne(ValueId value) const { return count_[value] == 1; }
  uint32_t Only(ValueId value) const { return last_[value]; }

 private:
  std::vector<uint32_t> count_;
  std::vector<uint32_t> last_;
};

Activation OwnActivation(const Op& op) {
  return std::visit([](const auto& o) {
    if constexpr (requires { o.activation; }) return o.activation;
    return Activation::kNone;
  }, op);
}

bool TakesRelu(const Op& op, DType dtype) {
  if (dtype != DType::kFloat32) return false;
  if (const Binary* binary = std::get_if<Binary>(&op)) return binary->kind <= BinaryKind::kMax;
  return std::holds_alternative<Conv>(op) || std::holds_alternative<Linear>(op) ||
         std::holds_alternative<ConvTranspose>(op) || std::holds_alternative<ChannelAffine>(op);
}

bool CanHaveResidual(const Op& op) { return std::holds_alternative<Conv>(op) || std::holds_alternative<Linear>(op); }

bool IsRelu(const Op& op) {
  const Unary* unary = std::get_if<Unary>(&op);
  return unary != nullptr && unary->kind == UnaryKind::kRelu;
}

class Fuser {
 public:
  explicit Fuser(const StaticGraph& graph)
      : graph_(graph), readers_(graph.graph()), absorbed_(graph.graph().nodes.size()) {}

  Unit Grow(uint32_t n) {
    const Node& node = graph_.graph().nodes[n];
    Unit unit{.node = n, .position = n, .activation = OwnActivation(node.op)};
    if (node.outputs.size() != 1) return unit;
    unit.output = node.outputs[0];
    if (CanHaveResidual(node.op)) {
      if (node.inputs.size() > 3) unit.residual = node.inputs[3];
      if (unit.residual == kNoValue && unit.activation == Activation::kNone) AbsorbAdd(unit);
    }
    if (unit.activation == Activation::kNone && TakesRelu(node.op, graph_.type(unit.output).dtype)) AbsorbRelu(unit);
    return unit;
  }
  bool absorbed(uint32_t n) const { return absorbed_[n]; }

 private:
  const Node* Next(const Unit& unit) const {
    if (!readers_.HasOne(unit.output)) return nullptr;
    uint32_t next = readers_.Only(unit.output);
    return absorbed_[next] ? nullptr : &graph_.graph().nodes[next];
  }

  void Absorb(Unit& unit) {
    unit.position = readers_.Only(unit.output);
    absorbed_[unit.position] = true;
    unit.output = graph_.graph().nodes[unit.position].outputs[0];
  }

  void AbsorbAdd(Unit& unit) {
    const Node* next = Next(unit);
    if (next == nullptr) return;
    const Binary* binary = std::get_if<Binary>(&next->op);
    if (binary == nullptr || binary->kind != BinaryKind::kAdd) return;
    ValueId other = next->inputs[0] == unit.output ? next->inputs[1] : next->inputs[0];
    if (graph_.type(other) != graph_.type(unit.output)) return;
    unit.residual = other;
    unit.activation = binary->activation;
    Absorb(unit);
  }

  void AbsorbRelu(Unit& unit) {
    const Node* next = Next(unit);
    if (next == nullptr || !IsRelu(next->op)) return;
    unit.activation = Activation::kRelu;
    Absorb(unit);
  }

  const StaticGraph& graph_;
  Readers readers_;
  std::vector<bool> absorbed_;
};

}  // namespace

std::vector<Unit> PlanFusion(const StaticGraph& graph) {
  Fuser fuser(graph);
  std::vector<Unit> units;
  for (uint32_t n = 0; n < graph.graph().nodes.size(); ++n) {
    if (!fuser.absorbed(n)) units.push_back(fuser.Grow(n));
  }
  // A unit runs where its last node stood: by then every other operand it took on has been computed.
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.position < b.position; });
  return units;
}

}  // namespace soter::compute
