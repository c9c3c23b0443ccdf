#include "common/graph/fold.h"

namespace soter {
namespace {

struct FoldVisitor {
  Operands operands;
  Constants in;
  std::span<const TensorType> types;

  Folded operator()(const auto&) const { return std::optional<Tensor>(); }
  Folded operator()(const Reshape&) const { return FoldCopy(*in[0], types[0]); }
  Folded operator()(const Flatten&) const { return FoldCopy(*in[0], types[0]); }
  Folded operator()(const Squeeze&) const { return FoldCopy(*in[0], types[0]); }
  Folded operator()(const Unsqueeze&) const { return FoldCopy(*in[0], types[0]); }
  Folded operator()(const Gather& op) const { return FoldGather(op, in, types[0]); }
  Folded operator()(const Slice&) const { return FoldSlice(operands, types[0]); }
  Folded operator()(const Concat& op) const { return FoldConcat(op, in, types[0]); }
  Folded operator()(const Expand&) const { return FoldExpand(in, types[0]); }
  Folded operator()(const Tile&) const { return FoldTile(in, types[0]); }
  Folded operator()(const Transpose& op) const { return FoldTranspose(op, in, types[0]); }
  Folded operator()(const Fill&) const { return FoldFill(in, types[0]); }
  Folded operator()(const Unary& op) const { return FoldUnary(op, in, types[0]); }
  Folded operator()(const Binary& op) const { return FoldBinary(op, in, types[0]); }
  Folded operator()(const Where&) const { return FoldWhere(in, types[0]); }
  Folded operator()(const Cast&) const { return FoldCast(in, types[0]); }
  Folded operator()(const Range&) const { return FoldRange(in, types[0]); }
  Folded operator()(const Reduce& op) const { return FoldReduce(op, operands, types[0]); }
};

}  // namespace

Result<std::optional<std::vector<Tensor>>> FoldNode(const Node& node, Constants operands,
                                                    std::span<const TensorType> types) {
  if (const Split* split = std::get_if<Split>(&node.op))
    return std::optional(TRY(FoldSplit(*split, operands, types)));
  std::vector<const TensorType*> operand_types;
  for (const Tensor* operand : operands) operand_types.push_back(operand == nullptr ? nullptr : &operand->type());
  FoldVisitor visitor{Operands(operand_types, operands, types.size()), operands, types};
  std::optional<Tensor> folded = TRY(std::visit(visitor, node.op));
  if (!folded) return std::optional<std::vector<Tensor>>();
  std::vector<Tensor> outputs;
  outputs.push_back(std::move(*folded));
  return std::optional(std::move(outputs));
}

std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& target) {
  std::vector<int64_t> dense = RowMajorStrides(shape);
  std::vector<int64_t> strides(target.size(), 0);
  size_t offset = target.size() - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    if (shape[i] != 1) strides[offset + i] = dense[i];
  return strides;
}

}  // namespace soter
