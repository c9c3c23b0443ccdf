#include "trusted/plan/offloadable.h"

#include "common/graph/accelerator_set.h"
#include "common/graph/op_traits.h"
#include "trusted/mask/scales.h"

namespace soter {
namespace {

constexpr size_t kBiasOperand = 2;

// A fused activation or residual would hide the linear result that a check needs; importers never make them.
bool IsPlain(const StaticGraph& graph, const Node& node) {
  bool active = std::visit([](const auto& op) {
    if constexpr (requires { op.activation; }) return op.activation != Activation::kNone;
    return false;
  }, node.op);
  bool constant_bias = node.inputs.size() <= kBiasOperand || node.inputs[kBiasOperand] == kNoValue ||
                       graph.initializer(node.inputs[kBiasOperand]) != nullptr;
  return !active && constant_bias && node.inputs.size() <= kBiasOperand + 1;
}

}  // namespace

bool CanOffload(const StaticGraph& graph, const Node& node) {
  return IsLinear(node.op) && IsPlain(graph, node) && CanMask(graph, node) && InAcceleratorSet(graph, node);
}

}  // namespace soter
