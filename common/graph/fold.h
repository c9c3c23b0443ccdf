#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "common/graph/infer.h"

namespace soter {

// FoldNode evaluates `node` on constant operands (null where absent), or returns nothing when it is not one of
// the operators that shape arithmetic consists of. `types` are those that InferTypes gave for these operands.
// Cost: proportional to the elements of the operands and outputs.
// Errors: kMalformed (division by zero, an index out of range), kExhausted.
Result<std::optional<std::vector<Tensor>>> FoldNode(const Node& node, std::span<const Tensor* const> operands,
                                                    std::span<const TensorType> types);

// Folded is the value of one operator, or nothing where it is not evaluated for this type or kind.
using Folded = Result<std::optional<Tensor>>;
using Constants = std::span<const Tensor* const>;

// fold_move.cc: operators that only move elements, of any type
Folded FoldCopy(const Tensor& x, const TensorType& type);
Folded FoldGather(const Gather& op, Constants in, const TensorType& type);
Folded FoldSlice(const Operands& in, const TensorType& type);
Folded FoldConcat(const Concat& op, Constants in, const TensorType& type);
Folded FoldExpand(Constants in, const TensorType& type);
Folded FoldTile(Constants in, const TensorType& type);
Folded FoldTranspose(const Transpose& op, Constants in, const TensorType& type);
Folded FoldFill(Constants in, const TensorType& type);
Result<std::vector<Tensor>> FoldSplit(const Split& op, Constants in, std::span<const TensorType> types);

// fold_math.cc: operators that compute
Folded FoldUnary(const Unary& op, Constants in, const TensorType& type);
Folded FoldBinary(const Binary& op, Constants in, const TensorType& type);
Folded FoldWhere(Constants in, const TensorType& type);
Folded FoldCast(Constants in, const TensorType& type);
Folded FoldRange(Constants in, const TensorType& type);
Folded FoldReduce(const Reduce& op, const Operands& in, const TensorType& type);

// ForEachIndex calls visit(linear, index) for every element of `shape` in order.
template <typename Visit>
void ForEachIndex(const Shape& shape, Visit&& visit) {
  int64_t count = ElementCount(shape).value();
  std::array<int64_t, kMaxRank> index{};
  for (int64_t linear = 0; linear < count; ++linear) {
    visit(linear, std::span<const int64_t>(index.data(), shape.size()));
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

// RowMajorStrides of a dense tensor, in elements.
std::vector<int64_t> RowMajorStrides(const Shape& shape);

// BroadcastStrides steps through a tensor of `shape` along the axes of `target`: 0 where it repeats.
std::vector<int64_t> BroadcastStrides(const Shape& shape, const Shape& target);

inline int64_t LinearOffset(std::span<const int64_t> index, std::span<const int64_t> strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i) offset += index[i] * strides[i];
  return offset;
}

}  // namespace soter
