#include "common/graph/accelerator_set.h"

#include <concepts>

namespace soter {
namespace {

int64_t Product(std::span<const int64_t> extents) {
  int64_t product = 1;
  for (int64_t extent : extents) product *= extent;  // types of a StaticGraph are sane
  return product;
}

size_t AxisOf(int64_t axis, const Shape& shape) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis);
}

// The types of one node's operands and result. Every rule below answers for one operator.
struct NodeView {
  const StaticGraph& graph;
  const Node& node;

  bool Has(size_t i) const { return i < node.inputs.size() && node.inputs[i] != kNoValue; }
  const TensorType& In(size_t i) const { return graph.type(node.inputs[i]); }
  const TensorType& Out() const { return graph.type(node.outputs[0]); }
  bool IsFloat(size_t i) const { return In(i).dtype == DType::kFloat32; }
  int64_t Count(size_t i) const { return Product(In(i).shape); }
  // An operand that shapes what is computed must be known when a segment is loaded.
  bool IsFixed(size_t i) const { return !Has(i) || graph.constant(node.inputs[i]) != nullptr; }
};

bool IsLogic(BinaryKind kind) { return kind >= BinaryKind::kAnd; }
bool IsOfReals(BinaryKind kind) {
  return kind == BinaryKind::kPow || kind == BinaryKind::kFmod || kind == BinaryKind::kPRelu;
}

bool Computes(const Conv&, const NodeView& v) { return v.IsFloat(0) && v.Count(0) > 0 && v.Count(1) > 0; }
bool Computes(const ConvTranspose&, const NodeView& v) { return v.IsFloat(0) && v.Count(0) > 0 && v.Count(1) > 0; }
bool Computes(const Linear&, const NodeView& v) { return v.IsFloat(0) && v.In(0).shape.back() > 0; }
bool Computes(const MatMul&, const NodeView& v) { return v.IsFloat(0) && v.IsFloat(1) && v.Count(0) > 0 && v.Count(1) > 0; }
bool Computes(const ChannelAffine&, const NodeView& v) { return v.IsFloat(0); }
bool Computes(const Unary& op, const NodeView& v) {
  if (op.kind == UnaryKind::kIdentity) return true;
  return v.In(0).dtype == (op.kind == UnaryKind::kNot ? DType::kBool : DType::kFloat32);
}
bool Computes(const Binary& op, const NodeView& v) {
  switch (v.In(0).dtype) {
    case DType::kFloat32: return !IsLogic(op.kind);
    case DType::kInt64: return !IsLogic(op.kind) && !IsOfReals(op.kind);
    case DType::kBool: return IsLogic(op.kind) || op.kind == BinaryKind::kEqual;
    default: return false;
  }
}
bool Computes(const Pool&, const NodeView& v) { return v.IsFloat(0); }
bool Computes(const Reduce&, const NodeView& v) { return v.IsFloat(0) && v.Count(0) > 0 && v.IsFixed(1); }
bool Computes(const Softmax&, const NodeView& v) { return v.IsFloat(0); }
bool Computes(const LayerNorm& op, const NodeView& v) {
  const Shape& shape = v.In(0).shape;
  int64_t row = Product(std::span(shape).subspan(AxisOf(op.axis, shape)));
  return v.IsFloat(0) && (!v.Has(1) || v.Count(1) == row) && (!v.Has(2) || v.Count(2) == row);
}
bool Computes(const GroupNorm&, const NodeView& v) { return v.IsFloat(0); }
bool Computes(const Lrn&, const NodeView& v) { return v.IsFloat(0); }
bool Computes(const Slice&, const NodeView& v) { return v.IsFixed(1) && v.IsFixed(2) && v.IsFixed(3) && v.IsFixed(4); }
bool Computes(const Pad&, const NodeView& v) {
  return v.Count(0) > 0 && v.IsFixed(1) && v.IsFixed(2) && v.IsFixed(3);
}
bool Computes(const Gather& op, const NodeView& v) {
  const Shape& data = v.In(0).shape;
  return data[AxisOf(op.axis, data)] > 0;
}
bool Computes(const Trilu&, const NodeView& v) { return v.IsFixed(1); }
bool Computes(const Resize&, const NodeView& v) { return v.IsFloat(0) && v.IsFixed(1); }

// Operators that only move elements, of any type.
template <typename Op>
  requires std::same_as<Op, Where> || std::same_as<Op, Cast> || std::same_as<Op, Reshape> || std::same_as<Op, Flatten> ||
           std::same_as<Op, Squeeze> || std::same_as<Op, Unsqueeze> || std::same_as<Op, Transpose> ||
           std::same_as<Op, Concat> || std::same_as<Op, Split> || std::same_as<Op, Expand> || std::same_as<Op, Tile> ||
           std::same_as<Op, Fill> || std::same_as<Op, DepthToSpace>
bool Computes(const Op&, const NodeView&) {
  return true;
}

// What shapes decide, what orders elements, and what steps through a sequence.
template <typename Op>
  requires std::same_as<Op, ShapeOf> || std::same_as<Op, Range> || std::same_as<Op, CumSum> || std::same_as<Op, TopK> ||
           std::same_as<Op, GatherNd> || std::same_as<Op, Scatter> || std::same_as<Op, Recurrent>
bool Computes(const Op&, const NodeView&) {
  return false;
}

}  // namespace

bool InAcceleratorSet(const StaticGraph& graph, const Node& node) {
  return std::visit([&](const auto& op) { return Computes(op, {graph, node}); }, node.op);
}

}  // namespace soter
