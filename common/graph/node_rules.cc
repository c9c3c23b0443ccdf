#include "common/graph/node_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <type_traits>

namespace soter {
namespace {

// AttributeRanges checks what holds for every attribute of a kind: enums within their range, no NaN.
class AttributeRanges {
 public:
  template <typename E>
    requires std::is_enum_v<E>
  void operator()(const char* name, E value) {
    if (value > E::kLast) Refuse(name, "is not a known value");
  }
  void operator()(const char* name, DType value) {
    if (!DTypeFromNumber(static_cast<uint8_t>(value)).ok()) Refuse(name, "is not a data type");
  }
  void operator()(const char* name, float value) {
    if (std::isnan(value)) Refuse(name, "is not a number");
  }
  void operator()(const char* name, const std::vector<int64_t>& value) {
    if (value.size() > kMaxRank) Refuse(name, "has too many entries");
  }
  void operator()(const char*, const Window& value) { Window::Fields(value, *this); }
  void operator()(const char*, int64_t) {}
  void operator()(const char*, bool) {}

  Status status() const { return status_; }

 private:
  void Refuse(const char* name, const char* problem) {
    if (status_.ok()) status_ = Malformed(std::string("attribute ") + name + " " + problem);
  }
  Status status_;
};

Status CheckEntries(const char* name, const std::vector<int64_t>& values, size_t count, int64_t least, int64_t most) {
  if (values.size() != count)
    return Malformed(std::string(name) + " has " + std::to_string(values.size()) + " entries, not " +
                     std::to_string(count));
  for (int64_t value : values)
    if (value < least || value > most)
      return Malformed(std::string(name) + " holds " + std::to_string(value) + ", not one of " +
                       std::to_string(least) + " to " + std::to_string(most));
  return {};
}

Status CheckWindow(const Window& window) {
  size_t axes = window.kernel.size();
  if (axes < 1 || axes > kMaxSpatialAxes)
    return Malformed("a window slides over 1 to 3 axes, not " + std::to_string(axes));
  TRY(CheckEntries("kernel", window.kernel, axes, 1, kMaxWindowExtent));
  TRY(CheckEntries("strides", window.strides, axes, 1, kMaxWindowExtent));
  TRY(CheckEntries("dilations", window.dilations, axes, 1, kMaxWindowExtent));
  TRY(CheckEntries("pads_begin", window.pads_begin, axes, 0, kMaxWindowExtent));
  return CheckEntries("pads_end", window.pads_end, axes, 0, kMaxWindowExtent);
}

Status CheckPositive(const char* name, int64_t value) {
  if (value < 1 || value > kMaxWindowExtent)
    return Malformed(std::string(name) + " is " + std::to_string(value) + ", not one of 1 to " +
                     std::to_string(kMaxWindowExtent));
  return {};
}

bool HasOperand(const Node& node, size_t index) {
  return index < node.inputs.size() && node.inputs[index] != kNoValue;
}

// One overload for each operator with rules of its own.
Status CheckOp(const auto&, const Node&) { return {}; }

Status CheckOp(const Conv& op, const Node&) {
  TRY(CheckPositive("groups", op.groups));
  return CheckWindow(op.window);
}

Status CheckOp(const ConvTranspose& op, const Node&) {
  TRY(CheckPositive("groups", op.groups));
  TRY(CheckWindow(op.window));
  size_t axes = op.window.kernel.size();
  TRY(CheckEntries("output_padding", op.output_padding, axes, 0, kMaxWindowExtent));
  for (size_t i = 0; i < axes; ++i)
    if (op.output_padding[i] >= std::max(op.window.strides[i], op.window.dilations[i]))
      return Malformed("output_padding must be smaller than the stride or the dilation");
  if (!op.output_shape.empty()) TRY(CheckEntries("output_shape", op.output_shape, axes, 1, kMaxWindowExtent));
  return {};
}

Status CheckOp(const Pool& op, const Node&) {
  TRY(CheckWindow(op.window));
  for (size_t i = 0; i < op.window.kernel.size(); ++i)
    if (std::max(op.window.pads_begin[i], op.window.pads_end[i]) > (op.window.kernel[i] - 1) * op.window.dilations[i])
      return Malformed("a pad must be smaller than the pooling window");
  return CheckPositive("p", op.p);
}

Status CheckOp(const Reduce& op, const Node& node) {
  bool arg = op.kind == ReduceKind::kArgMax || op.kind == ReduceKind::kArgMin;
  if (op.spatial && (arg || HasOperand(node, 1))) return Malformed("a spatial reduction takes no axes");
  if (arg && !HasOperand(node, 1)) return Malformed("an index of an extreme needs an axis");
  return {};
}

Status CheckOp(const LayerNorm& op, const Node&) {
  if (!(op.epsilon >= 0)) return Malformed("epsilon is negative");
  return {};
}

Status CheckOp(const GroupNorm& op, const Node&) {
  if (op.groups < 0 || !(op.epsilon >= 0)) return Malformed("groups or epsilon is negative");
  return {};
}

Status CheckOp(const Lrn& op, const Node&) {
  return CheckPositive("size", op.size);
}

Status CheckOp(const Transpose& op, const Node&) {
  std::array<bool, kMaxRank> seen{};
  for (int64_t axis : op.perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(op.perm.size()) || seen[axis])
      return Malformed("perm is not a permutation");
    seen[axis] = true;
  }
  return {};
}

Status CheckOp(const Resize&, const Node& node) {
  if (HasOperand(node, 1) == HasOperand(node, 2)) return Malformed("takes either scales or sizes");
  return {};
}

Status CheckOp(const DepthToSpace& op, const Node&) {
  TRY(CheckPositive("block", op.block));
  if (op.inverse && op.column_row_depth) return Malformed("SpaceToDepth has one order of channels only");
  return {};
}

Status CheckOp(const GatherNd& op, const Node&) {
  if (op.batch_dims < 0) return Malformed("batch_dims is negative");
  return {};
}

Status CheckOp(const Recurrent& op, const Node& node) {
  if (op.kind != RecurrentKind::kLstm && (HasOperand(node, 5) || HasOperand(node, 6)))
    return Malformed("only an LSTM has a cell");
  if (op.kind != RecurrentKind::kGru && op.linear_before_reset) return Malformed("only a GRU has a reset");
  return {};
}

// OutputCountOf is how many outputs an operator has; none: any number.
std::optional<size_t> OutputCountOf(const Op& op) {
  if (std::holds_alternative<Split>(op)) return std::nullopt;
  if (std::holds_alternative<TopK>(op)) return 2;
  if (const Recurrent* cells = std::get_if<Recurrent>(&op)) return cells->kind == RecurrentKind::kLstm ? 3 : 2;
  return 1;
}

struct CountOperands {
  OperandCounts operator()(const Conv&) const { return {2, 4}; }
  OperandCounts operator()(const ConvTranspose&) const { return {2, 3}; }
  OperandCounts operator()(const Linear&) const { return {2, 4}; }
  OperandCounts operator()(const MatMul&) const { return {2, 2}; }
  OperandCounts operator()(const ChannelAffine&) const { return {3, 3}; }
  OperandCounts operator()(const Unary&) const { return {1, 1}; }
  OperandCounts operator()(const Binary&) const { return {2, 2}; }
  OperandCounts operator()(const Where&) const { return {3, 3}; }
  OperandCounts operator()(const Pool&) const { return {1, 1}; }
  OperandCounts operator()(const Reduce&) const { return {1, 2}; }
  OperandCounts operator()(const Softmax&) const { return {1, 1}; }
  OperandCounts operator()(const LayerNorm&) const { return {1, 3}; }
  OperandCounts operator()(const GroupNorm&) const { return {3, 3}; }
  OperandCounts operator()(const Lrn&) const { return {1, 1}; }
  OperandCounts operator()(const Reshape&) const { return {2, 2}; }
  OperandCounts operator()(const Flatten&) const { return {1, 1}; }
  OperandCounts operator()(const Squeeze&) const { return {1, 2}; }
  OperandCounts operator()(const Unsqueeze&) const { return {2, 2}; }
  OperandCounts operator()(const Transpose&) const { return {1, 1}; }
  OperandCounts operator()(const Concat&) const { return {1, SIZE_MAX}; }
  OperandCounts operator()(const Split&) const { return {1, 2}; }
  OperandCounts operator()(const Slice&) const { return {3, 5}; }
  OperandCounts operator()(const Pad&) const { return {2, 4}; }
  OperandCounts operator()(const Gather&) const { return {2, 2}; }
  OperandCounts operator()(const Expand&) const { return {2, 2}; }
  OperandCounts operator()(const Tile&) const { return {2, 2}; }
  OperandCounts operator()(const Cast&) const { return {1, 1}; }
  OperandCounts operator()(const ShapeOf&) const { return {1, 1}; }
  OperandCounts operator()(const Fill&) const { return {2, 2}; }
  OperandCounts operator()(const Range&) const { return {3, 3}; }
  OperandCounts operator()(const Trilu&) const { return {1, 2}; }
  OperandCounts operator()(const Resize&) const { return {2, 3}; }
  OperandCounts operator()(const DepthToSpace&) const { return {1, 1}; }
  OperandCounts operator()(const CumSum&) const { return {2, 2}; }
  OperandCounts operator()(const TopK&) const { return {2, 2}; }
  OperandCounts operator()(const GatherNd&) const { return {2, 2}; }
  OperandCounts operator()(const Scatter&) const { return {3, 3}; }
  OperandCounts operator()(const Recurrent&) const { return {2, 7}; }
};

Status CheckOperandCounts(const Node& node) {
  OperandCounts counts = OperandCountsOf(node.op);
  if (node.inputs.size() < counts.least || node.inputs.size() > counts.most)
    return Malformed("has " + std::to_string(node.inputs.size()) + " operands");
  // Concat takes any number of operands, all of them present; Resize's scales give way to its sizes.
  size_t required = counts.most == SIZE_MAX ? node.inputs.size() : counts.least;
  if (std::holds_alternative<Resize>(node.op)) required = 1;
  for (size_t i = 0; i < required; ++i)
    if (node.inputs[i] == kNoValue) return Malformed("operand " + std::to_string(i) + " is missing");
  if (node.outputs.empty() || node.outputs.size() != OutputCountOf(node.op).value_or(node.outputs.size()))
    return Malformed("has " + std::to_string(node.outputs.size()) + " outputs");
  return {};
}

}  // namespace

OperandCounts OperandCountsOf(const Op& op) { return std::visit(CountOperands{}, op); }

Status CheckNode(const Node& node) {
  TRY(CheckOperandCounts(node));
  return std::visit(
      [&](const auto& op) -> Status {
        AttributeRanges ranges;
        std::decay_t<decltype(op)>::Fields(op, ranges);
        TRY(ranges.status());
        return CheckOp(op, node);
      },
      node.op);
}

std::string NodeLabel(const Node& node) { return "node '" + node.name + "' (" + OpName(node.op) + ")"; }

}  // namespace soter
