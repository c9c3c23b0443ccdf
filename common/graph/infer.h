#pragma once

#include <span>
#include <vector>

#include "common/graph/bind.h"

// The shape rules of the operators, one overload of Infer for each. They expect attributes that CheckNode
// accepted and operands whose shapes ElementCount accepted: so no extent exceeds 2^48.
namespace soter {

// Operands is what is known of one node's operands.
class Operands {
 public:
  Operands(std::span<const TensorType* const> types, std::span<const Tensor* const> constants, size_t output_count)
      : types_(types), constants_(constants), output_count_(output_count) {}

  size_t size() const { return types_.size(); }
  size_t output_count() const { return output_count_; }
  bool has(size_t i) const { return i < types_.size() && types_[i] != nullptr; }
  const TensorType& type(size_t i) const {
    CHECK(has(i), "operand is absent");
    return *types_[i];
  }
  const Shape& shape(size_t i) const { return type(i).shape; }
  DType dtype(size_t i) const { return type(i).dtype; }
  int64_t rank(size_t i) const { return static_cast<int64_t>(shape(i).size()); }
  const Tensor* constant(size_t i) const { return i < constants_.size() ? constants_[i] : nullptr; }

  // Integers is the value of operand `i`, an int64 scalar or vector such as axes or a shape.
  // Errors: kMalformed (another type), kUnsupported (not constant).
  Result<std::span<const int64_t>> Integers(size_t i) const;

 private:
  std::span<const TensorType* const> types_;
  std::span<const Tensor* const> constants_;
  size_t output_count_;
};

using InferredTypes = Result<std::vector<TensorType>>;

// infer_conv.cc
InferredTypes Infer(const Conv& op, const Operands& in);
InferredTypes Infer(const ConvTranspose& op, const Operands& in);
InferredTypes Infer(const Pool& op, const Operands& in);
// infer_dense.cc
InferredTypes Infer(const Linear& op, const Operands& in);
InferredTypes Infer(const MatMul& op, const Operands& in);
InferredTypes Infer(const ChannelAffine& op, const Operands& in);
InferredTypes Infer(const Softmax& op, const Operands& in);
InferredTypes Infer(const LayerNorm& op, const Operands& in);
InferredTypes Infer(const GroupNorm& op, const Operands& in);
InferredTypes Infer(const Lrn& op, const Operands& in);
// infer_elementwise.cc
InferredTypes Infer(const Unary& op, const Operands& in);
InferredTypes Infer(const Binary& op, const Operands& in);
InferredTypes Infer(const Where& op, const Operands& in);
InferredTypes Infer(const Cast& op, const Operands& in);
InferredTypes Infer(const Trilu& op, const Operands& in);
InferredTypes Infer(const Reduce& op, const Operands& in);
// infer_shape_ops.cc
InferredTypes Infer(const Reshape& op, const Operands& in);
InferredTypes Infer(const Flatten& op, const Operands& in);
InferredTypes Infer(const Squeeze& op, const Operands& in);
InferredTypes Infer(const Unsqueeze& op, const Operands& in);
InferredTypes Infer(const Transpose& op, const Operands& in);
InferredTypes Infer(const Concat& op, const Operands& in);
InferredTypes Infer(const Split& op, const Operands& in);
InferredTypes Infer(const ShapeOf& op, const Operands& in);
InferredTypes Infer(const Fill& op, const Operands& in);
InferredTypes Infer(const Range& op, const Operands& in);
// infer_index.cc
InferredTypes Infer(const Slice& op, const Operands& in);
InferredTypes Infer(const Pad& op, const Operands& in);
InferredTypes Infer(const Gather& op, const Operands& in);
InferredTypes Infer(const Expand& op, const Operands& in);
InferredTypes Infer(const Tile& op, const Operands& in);
InferredTypes Infer(const Resize& op, const Operands& in);
InferredTypes Infer(const DepthToSpace& op, const Operands& in);

// infer_select.cc
InferredTypes Infer(const CumSum& op, const Operands& in);
InferredTypes Infer(const TopK& op, const Operands& in);
InferredTypes Infer(const GatherNd& op, const Operands& in);
InferredTypes Infer(const Scatter& op, const Operands& in);
InferredTypes Infer(const Recurrent& op, const Operands& in);

// GateCount is the number of products with the input for each unit: 1 (RNN), 3 (GRU) or 4 (LSTM).
int64_t GateCount(RecurrentKind kind);

// --- What the rules share ---

bool IsFloat(DType dtype);
bool IsNumeric(DType dtype);  // any but bool

// ExpectDType refuses operand `i` unless `accepted`. Errors: kMalformed.
Status ExpectDType(const Operands& in, size_t i, bool accepted);
// ExpectSameDType refuses operands (those present) whose type differs from that of operand 0. Errors: kMalformed.
Status ExpectSameDType(const Operands& in);
// ExpectShape refuses operand `i`, where present, unless it has `shape`. Errors: kMalformed.
Status ExpectShape(const Operands& in, size_t i, const Shape& shape);

// ResolveAxis counts a negative axis from the end. Errors: kMalformed (outside [-rank, rank)).
Result<int64_t> ResolveAxis(int64_t axis, int64_t rank);
// ResolveAxes does so for each. Errors: kMalformed (also when one is named twice).
Result<std::vector<int64_t>> ResolveAxes(std::span<const int64_t> axes, int64_t rank);

// BroadcastShapes follows NumPy. Errors: kMalformed.
Result<Shape> BroadcastShapes(const Shape& a, const Shape& b);

// ResolveWindow returns `op`'s window with explicit pads, for the operands' shapes. Errors: kMalformed.
Result<Window> ResolveWindow(const Conv& op, const Operands& in);
Result<Window> ResolveWindow(const Pool& op, const Operands& in);
// ResolveTranspose returns `op` with explicit pads and no output_shape. Errors: kMalformed.
Result<ConvTranspose> ResolveTranspose(const ConvTranspose& op, const Operands& in);

// SliceRange is what a Slice takes along one axis: `count` elements from `start` on, `step` apart.
struct SliceRange {
  int64_t start = 0, step = 1, count = 0;
};
// ResolveSlice returns one range per axis of operand 0. Errors: kMalformed, kUnsupported.
Result<std::vector<SliceRange>> ResolveSlice(const Operands& in);

// ResolveReducedAxes returns which axes of operand 0 are reduced. Errors: kMalformed, kUnsupported.
Result<std::vector<bool>> ResolveReducedAxes(const Reduce& op, const Operands& in);

// The most elements that Range may make, and that constant folding makes of one node.
inline constexpr int64_t kMaxFoldedElements = int64_t{1} << 16;

}  // namespace soter
