#include <cmath>

#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

// What x times this gate of x is.
std::optional<UnaryKind> GatedKind(const Unary& gate) {
  if (gate.kind == UnaryKind::kSigmoid) return UnaryKind::kSilu;
  const bool is_hard_swish = gate.kind == UnaryKind::kHardSigmoid && std::abs(gate.alpha * 6 - 1) < 1e-5f &&
                             std::abs(gate.beta * 2 - 1) < 1e-5f;
  if (is_hard_swish) return UnaryKind::kHardSwish;
  return std::nullopt;
}

}  // namespace

Graph RecogniseSilu(Graph graph) {
  const GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    const Binary* product = std::get_if<Binary>(&node.op);
    if (product == nullptr || product->kind != BinaryKind::kMul || product->activation != Activation::kNone) continue;
    for (size_t side : {0, 1}) {
      const ValueId x = node.inputs[side];
      const Node* gate = index.Producer<Unary>(node.inputs[1 - side]);
      if (gate == nullptr || gate->inputs[0] != x) continue;
      const auto kind = GatedKind(std::get<Unary>(gate->op));
      if (!kind.has_value()) continue;
      node.op = Unary{*kind};
      node.inputs = {x};
      break;
    }
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
