#include "common/graph/accelerator_set.h"
#include "common/graph/op_traits.h"
#include "trusted/check/rounding.h"
#include "trusted/plan/offloadable.h"
#include "trusted/plan/placement.h"
#include "trusted/plan/ride_along.h"

namespace soter {
namespace {

bool IsGentle(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::kRelu: case UnaryKind::kLeakyRelu: case UnaryKind::kSigmoid: case UnaryKind::kTanh:
    case UnaryKind::kNeg: case UnaryKind::kAbs: case UnaryKind::kErf: case UnaryKind::kGeluErf:
    case UnaryKind::kGeluTanh: case UnaryKind::kSilu: case UnaryKind::kHardSigmoid: case UnaryKind::kHardSwish:
    case UnaryKind::kElu: case UnaryKind::kSelu: case UnaryKind::kCelu: case UnaryKind::kSoftplus:
    case UnaryKind::kSoftsign: case UnaryKind::kMish: case UnaryKind::kClip: case UnaryKind::kIdentity:
      return true;
    default: return false;
  }
}

bool IsGentle(BinaryKind kind) {
  return kind == BinaryKind::kAdd || kind == BinaryKind::kSub || kind == BinaryKind::kMul || kind == BinaryKind::kMin ||
         kind == BinaryKind::kMax || kind == BinaryKind::kPRelu;
}

// Gentle operators do not blow up a difference of one rounding: the enclave, which computes them again, then agrees
// with the accelerator closely enough to check the linear operator behind them. Steps (Floor, Mod), quotients and
// normalisations are not, and a product of two activations would cost the enclave as much as the accelerator.
bool IsGentle(const StaticGraph& graph, const Node& node) {
  if (const auto* unary = std::get_if<Unary>(&node.op)) return IsGentle(unary->kind);
  if (const auto* binary = std::get_if<Binary>(&node.op)) return IsGentle(binary->kind);
  if (const auto* reduce = std::get_if<Reduce>(&node.op))
    return reduce->kind == ReduceKind::kMax || reduce->kind == ReduceKind::kMin || reduce->kind == ReduceKind::kMean ||
           reduce->kind == ReduceKind::kSum;
  return std::holds_alternative<ChannelAffine>(node.op) || IsPositivelyHomogeneous(graph, node);
}

// Everything but shapes and indices is float32; those are constants.
bool IsFloat32(const StaticGraph& graph, const Node& node) {
  for (ValueId value : node.outputs)
    if (value == kNoValue || graph.type(value).dtype != DType::kFloat32) return false;
  for (ValueId value : node.inputs)
    if (value != kNoValue && graph.initializer(value) == nullptr && graph.type(value).dtype != DType::kFloat32) return false;
  return true;
}

std::string WhyInEnclave(const StaticGraph& graph, const Node& node) {
  if (IsLinear(node.op)) return CanOffload(graph, node) ? "checking or moving it would cost too much"
                                                        : "its weight is not a constant, or it is fused";
  return IsGentle(graph, node) ? "no offloaded neighbour needs it" : "it would have to be repeated exactly to check what follows";
}

}  // namespace

Placement PlaceVerified(const StaticGraph& graph, const Selection* allowed) {
  const std::vector<Node>& nodes = graph.graph().nodes;
  Placement placement(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i)
    if (CanOffload(graph, nodes[i]) && IsCheapToCheck(graph, nodes[i]) &&
        (allowed == nullptr || allowed->contains(nodes[i].outputs[0])))
      placement[i] = {.accelerator = true, .checked = true, .reason = "its result is checked"};
  // The enclave repeats what follows a checked result, so a trailing rider would be computed twice for nothing.
  auto may_ride = [&](const Node& node) {
    return !IsLinear(node.op) && IsGentle(graph, node) && IsFloat32(graph, node) && InAcceleratorSet(graph, node);
  };
  RideAlong(graph, may_ride, false, {.accelerator = true, .reason = "rides along"}, placement);
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!placement[i].accelerator) placement[i].reason = WhyInEnclave(graph, nodes[i]);
  return placement;
}

}  // namespace soter
