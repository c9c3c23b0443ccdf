#include "trusted/mask/scales.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/graph/op_traits.h"

namespace soter {
namespace {

bool IsConstant(const StaticGraph& graph, ValueId value) {
  return value == kNoValue || graph.initializer(value) != nullptr;
}

bool HasOneConstantOperand(const StaticGraph& graph, const Node& node) {
  return IsConstant(graph, node.inputs[0]) != IsConstant(graph, node.inputs[1]);
}

// A product with a constant is linear like a convolution: its factor goes into the constant.
bool IsProductWithConstant(const StaticGraph& graph, const Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  return binary != nullptr && binary->kind == BinaryKind::kMul && HasOneConstantOperand(graph, node);
}

bool IsSumWithConstant(const StaticGraph& graph, const Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  if (binary == nullptr || (binary->kind != BinaryKind::kAdd && binary->kind != BinaryKind::kSub)) return false;
  return HasOneConstantOperand(graph, node);
}

// Operators whose factor s_out / s_in is free because it goes into a constant.
bool HasFreeFactor(const StaticGraph& graph, const Node& node) {
  return IsLinear(node.op) || std::holds_alternative<ChannelAffine>(node.op) || IsProductWithConstant(graph, node);
}

constexpr size_t kResidualOperand = 3;  // of Conv and Linear: added to the output, so it shares its scale

}  // namespace

float ScaleBook::ScaleOf(ValueId representative) {
  if (unit_) return 1.0f;
  auto [entry, fresh] = scales_.try_emplace(representative, 0.0f);
  if (fresh) entry->second = static_cast<float>(std::exp2((2.0 * random_.NextUniform() - 1.0) * kMaxScaleExponent));
  return entry->second;
}

ScaleClasses::ScaleClasses(const StaticGraph& graph, const std::vector<bool>& masked)
    : parent_(graph.graph().value_names.size()) {
  std::iota(parent_.begin(), parent_.end(), 0);
  for (size_t i = 0; i < graph.graph().nodes.size(); ++i) {
    if (!masked[i]) continue;
    const Node& node = graph.graph().nodes[i];
    bool free_factor = HasFreeFactor(graph, node);
    for (ValueId output : node.outputs) Join(output, node.outputs[0]);
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      bool joins = !free_factor || k == kResidualOperand;
      if (joins && RoleOf(graph, node, k) == OperandRole::kData) Join(node.inputs[k], node.outputs[0]);
    }
  }
}

void ScaleClasses::Join(ValueId a, ValueId b) {
  a = Representative(a), b = Representative(b);
  parent_[std::max(a, b)] = std::min(a, b);
}

ValueId ScaleClasses::Representative(ValueId value) const {
  while (parent_[value] != value) value = parent_[value];
  return value;
}

OperandRole RoleOf(const StaticGraph& graph, const Node& node, size_t operand) {
  ValueId value = node.inputs[operand];
  if (value == kNoValue || graph.type(value).dtype != DType::kFloat32) return OperandRole::kStructure;
  if (!IsConstant(graph, value)) return OperandRole::kData;
  if (IsLinear(node.op) || std::holds_alternative<ChannelAffine>(node.op))
    return operand == 1 ? OperandRole::kWeight : OperandRole::kOffset;
  if (IsProductWithConstant(graph, node)) return OperandRole::kWeight;
  if (std::holds_alternative<Pad>(node.op) || std::holds_alternative<Resize>(node.op)) return OperandRole::kStructure;
  return OperandRole::kOffset;
}

ValueId DataInput(const StaticGraph& graph, const Node& node) {
  for (size_t k = 0; k < node.inputs.size(); ++k)
    if (RoleOf(graph, node, k) == OperandRole::kData) return node.inputs[k];
  return kNoValue;
}

bool HasUnitFactor(const StaticGraph& graph, const ScaleClasses& classes, const Node& node) {
  if (!HasFreeFactor(graph, node)) return false;
  return classes.Representative(DataInput(graph, node)) == classes.Representative(node.outputs[0]);
}

bool CanMask(const StaticGraph& graph, const Node& node) {
  if (DataInput(graph, node) == kNoValue) return false;
  for (ValueId output : node.outputs)
    if (graph.type(output).dtype != DType::kFloat32) return false;
  if (IsLinear(node.op)) return !IsConstant(graph, node.inputs[0]) && IsConstant(graph, node.inputs[1]);
  return std::holds_alternative<ChannelAffine>(node.op) || IsProductWithConstant(graph, node) ||
         IsSumWithConstant(graph, node) || IsPositivelyHomogeneous(graph, node);
}

}  // namespace soter
