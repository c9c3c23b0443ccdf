#pragma once

#include "common/compute/builder.h"

// Lower* turn one unit into steps, one function per operator. They may throw dnnl::error, which Compile catches.
// Errors: kUnsupported (a type or attribute that no kernel computes), those of the weight source.
namespace soter::compute {

// UnitContext is what every lowering function is given: the builder, the head node and what it absorbed.
struct UnitContext {
  Builder& builder;
  const Node& node;
  const Unit& unit;

  ValueId In(size_t i) const { return i < node.inputs.size() ? node.inputs[i] : kNoValue; }
  bool Has(size_t i) const { return In(i) != kNoValue; }
  const TensorType& InType(size_t i) const { return builder.type(node.inputs[i]); }
  const Shape& InShape(size_t i) const { return InType(i).shape; }
  ValueId Out() const { return unit.output == kNoValue ? node.outputs[0] : unit.output; }
  const TensorType& OutType() const { return builder.type(Out()); }
  const Shape& OutShape() const { return OutType().shape; }
  bool relu() const { return unit.activation == Activation::kRelu; }
};

Status Lower(const UnitContext& u, const Conv& op);
Status Lower(const UnitContext& u, const ConvTranspose& op);
Status Lower(const UnitContext& u, const Linear& op);
Status Lower(const UnitContext& u, const MatMul& op);
Status Lower(const UnitContext& u, const ChannelAffine& op);
Status Lower(const UnitContext& u, const Unary& op);
Status Lower(const UnitContext& u, const Binary& op);
Status Lower(const UnitContext& u, const Where& op);
Status Lower(const UnitContext& u, const Pool& op);
Status Lower(const UnitContext& u, const Reduce& op);
Status Lower(const UnitContext& u, const Softmax& op);
Status Lower(const UnitContext& u, const LayerNorm& op);
Status Lower(const UnitContext& u, const GroupNorm& op);
Status Lower(const UnitContext& u, const Lrn& op);
Status Lower(const UnitContext& u, const Reshape& op);
Status Lower(const UnitContext& u, const Flatten& op);
Status Lower(const UnitContext& u, const Squeeze& op);
Status Lower(const UnitContext& u, const Unsqueeze& op);
Status Lower(const UnitContext& u, const Transpose& op);
Status Lower(const UnitContext& u, const Concat& op);
Status Lower(const UnitContext& u, const Split& op);
Status Lower(const UnitContext& u, const Slice& op);
Status Lower(const UnitContext& u, const Pad& op);
Status Lower(const UnitContext& u, const Gather& op);
Status Lower(const UnitContext& u, const Expand& op);
Status Lower(const UnitContext& u, const Tile& op);
Status Lower(const UnitContext& u, const Cast& op);
Status Lower(const UnitContext& u, const ShapeOf& op);
Status Lower(const UnitContext& u, const Fill& op);
Status Lower(const UnitContext& u, const Range& op);
Status Lower(const UnitContext& u, const Trilu& op);
Status Lower(const UnitContext& u, const Resize& op);
Status Lower(const UnitContext& u, const DepthToSpace& op);
Status Lower(const UnitContext& u, const CumSum& op);
Status Lower(const UnitContext& u, const TopK& op);
Status Lower(const UnitContext& u, const GatherNd& op);
Status Lower(const UnitContext& u, const Scatter& op);
Status Lower(const UnitContext& u, const Recurrent& op);

// RequireFloat names the type when it is not float32. Errors: kUnsupported.
inline Status RequireFloat(const TensorType& type) {
  if (type.dtype != DType::kFloat32) return Unsupported(std::string("type ") + DTypeName(type.dtype));
  return {};
}

}  // namespace soter::compute
