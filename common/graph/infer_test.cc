#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <optional>

#include "common/graph/bind.h"

// The shape rules, one line a rule: what an operator makes of its operands, or why it refuses them.
namespace soter {
namespace {

struct Operand {
  std::optional<TensorType> type;  // nothing: absent
  std::shared_ptr<Tensor> constant;
};

Operand F(Shape shape) { return {TensorType{DType::kFloat32, std::move(shape)}, nullptr}; }
Operand T(DType dtype, Shape shape) { return {TensorType{dtype, std::move(shape)}, nullptr}; }
Operand None() { return {}; }
template <typename Element>
Operand C(Shape shape, std::initializer_list<Element> values) {
  auto tensor = std::make_shared<Tensor>(Tensor::FromValues<Element>(std::move(shape), values));
  return {tensor->type(), tensor};
}
Operand I(std::initializer_list<int64_t> values) { return C<int64_t>({static_cast<int64_t>(values.size())}, values); }
Operand S(int64_t value) { return C<int64_t>({}, {value}); }

Result<std::vector<TensorType>> InferOf(Op op, const std::vector<Operand>& operands, size_t output_count = 1) {
  Node node{"node", std::move(op), {}, std::vector<ValueId>(output_count, 1)};
  std::vector<const TensorType*> types;
  std::vector<const Tensor*> constants;
  for (const Operand& operand : operands) {
    node.inputs.push_back(operand.type ? 0 : kNoValue);
    types.push_back(operand.type ? &*operand.type : nullptr);
    constants.push_back(operand.constant.get());
  }
  return InferTypes(node, types, constants);
}

// ShapeFrom is the shape of the only output, or a shape no tensor has.
Shape ShapeFrom(Op op, const std::vector<Operand>& operands) {
  Result<std::vector<TensorType>> types = InferOf(std::move(op), operands);
  if (!types.ok()) ADD_FAILURE() << types.error().message;
  return types.ok() ? (*types)[0].shape : Shape{-1};
}

ErrorCode Refusal(Op op, const std::vector<Operand>& operands, size_t output_count = 1) {
  Result<std::vector<TensorType>> types = InferOf(std::move(op), operands, output_count);
  if (types.ok()) ADD_FAILURE() << "accepted, giving " << TypeString((*types)[0]);
  return types.ok() ? ErrorCode::kInvalidArgument : types.error().code;
}

constexpr ErrorCode kMalformed = ErrorCode::kMalformed;
constexpr ErrorCode kUnsupported = ErrorCode::kUnsupported;

Window W(int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {begin, begin}, {end, end}};
}

TEST(InferConv, SlidesOverPaddedInput) {
  EXPECT_EQ(ShapeFrom(Conv{W(7, 2, 1, 3, 3)}, {F({1, 3, 224, 224}), F({64, 3, 7, 7})}), (Shape{1, 64, 112, 112}));
  EXPECT_EQ(ShapeFrom(Conv{W(3, 1, 2, 0, 1)}, {F({1, 4, 9, 10}), F({6, 4, 3, 3})}), (Shape{1, 6, 6, 7}));
  EXPECT_EQ(ShapeFrom(Conv{.window = W(1, 1, 1, 0, 0), .groups = 2}, {F({1, 4, 2, 2}), F({6, 2, 1, 1}), F({6})}),
            (Shape{1, 6, 2, 2}));
}

TEST(InferConv, RefusesOperandsThatDoNotFit) {
  Operand x = F({1, 4, 8, 8}), weight = F({6, 4, 3, 3});
  Conv op{W(3, 1, 1, 0, 0)};
  EXPECT_EQ(Refusal(op, {F({1, 4, 8}), weight}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, F({6, 4, 3})}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, F({6, 4, 3, 2})}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, F({6, 3, 3, 3})}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, weight, F({5})}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, weight, None(), F({1, 6, 8, 8})}), kMalformed);
  EXPECT_EQ(Refusal(op, {x, T(DType::kFloat64, {6, 4, 3, 3})}), kMalformed);
  EXPECT_EQ(Refusal(op, {T(DType::kInt64, {1, 4, 8, 8}), T(DType::kInt64, {6, 4, 3, 3})}), kMalformed);
  EXPECT_EQ(Refusal(op, {F({1, 4, 2, 8}), weight}), kMalformed) << "larger than the input";
  EXPECT_EQ(Refusal(Conv{.window = W(3, 1, 1, 0, 0), .groups = 3}, {x, weight}), kMalformed);
  EXPECT_EQ(Refusal(Conv{W(3, INT32_MAX, INT32_MAX, 0, 0)}, {x, weight}), kMalformed);
}

TEST(InferConv, SamePaddingKeepsTheLength) {
  Window window = W(3, 2, 1, 0, 0);
  window.auto_pad = AutoPad::kSameUpper;
  EXPECT_EQ(ShapeFrom(Conv{window}, {F({1, 1, 7, 8}), F({1, 1, 3, 3})}), (Shape{1, 1, 4, 4}));
  EXPECT_EQ(Refusal(Conv{window}, {F({1, 1, 0, 8}), F({1, 1, 3, 3})}), kMalformed);
  window.dilations = {INT32_MAX, INT32_MAX};
  EXPECT_EQ(Refusal(Conv{window}, {F({1, 1, 7, 8}), F({1, 1, 3, 3})}), kMalformed);
}

TEST(InferConvTranspose, IsTheInverseOfConv) {
  ConvTranspose op{.window = W(4, 2, 1, 1, 1), .output_padding = {0, 1}, .groups = 2};
  EXPECT_EQ(ShapeFrom(op, {F({1, 4, 5, 5}), F({4, 3, 4, 4}), F({6})}), (Shape{1, 6, 10, 11}));
  op.window.auto_pad = AutoPad::kSameUpper;
  EXPECT_EQ(ShapeFrom(op, {F({1, 4, 5, 5}), F({4, 3, 4, 4})}), (Shape{1, 6, 10, 10}));
  ConvTranspose wide{.window = W(2, 3, 1, 0, 0), .output_padding = {0, 0}};
  wide.window.auto_pad = AutoPad::kSameLower;  // a stride beyond the kernel needs output padding
  EXPECT_EQ(ShapeFrom(wide, {F({1, 1, 5, 5}), F({1, 1, 2, 2})}), (Shape{1, 1, 15, 15}));
}

TEST(InferConvTranspose, RefusesOperandsThatDoNotFit) {
  ConvTranspose op{.window = W(3, 1, 1, 0, 0), .output_padding = {0, 0}};
  EXPECT_EQ(Refusal(op, {F({1, 4, 5, 5}), F({3, 4, 3, 3})}), kMalformed);
  EXPECT_EQ(Refusal(op, {F({1, 4, 0, 5}), F({4, 4, 3, 3})}), kMalformed);
  op.window = W(3, 1, 1, 4, 4);
  EXPECT_EQ(Refusal(op, {F({1, 4, 2, 2}), F({4, 4, 3, 3})}), kMalformed) << "pads leave nothing";
  op = {.window = W(3, INT32_MAX, 1, 0, 0), .output_padding = {0, 0}};
  EXPECT_EQ(Refusal(op, {F({1, 1, int64_t{1} << 40, 1}), F({1, 1, 3, 3})}), kMalformed) << "overflow";
  op = {.window = W(3, 1, 1, 0, 0), .output_padding = {0, 0}, .output_shape = {1000, 1000}};
  EXPECT_EQ(Refusal(op, {F({1, 4, 2, 2}), F({4, 4, 3, 3})}), kMalformed);
  op = {.window = W(3, INT32_MAX, 1, 0, 0), .output_padding = {0, 0}, .output_shape = {1, 1}};
  EXPECT_EQ(Refusal(op, {F({1, 4, 9, 9}), F({4, 4, 3, 3})}), kMalformed) << "too much to cut off";
}

TEST(InferPool, RoundsDownOrUp) {
  EXPECT_EQ(ShapeFrom(Pool{.window = W(3, 2, 1, 0, 0)}, {F({1, 2, 8, 8})}), (Shape{1, 2, 3, 3}));
  EXPECT_EQ(ShapeFrom(Pool{.window = W(3, 2, 1, 0, 0), .ceil_mode = true}, {F({1, 2, 8, 8})}), (Shape{1, 2, 4, 4}));
  // The fourth place would start in the padding behind the input.
  EXPECT_EQ(ShapeFrom(Pool{.window = W(2, 2, 1, 1, 1), .ceil_mode = true}, {F({1, 2, 5, 5})}), (Shape{1, 2, 3, 3}));
  EXPECT_EQ(Refusal(Pool{.window = W(3, 1, 1, 0, 0)}, {F({1, 2, 8})}), kMalformed);
  EXPECT_EQ(Refusal(Pool{.kind = PoolKind::kAverage, .window = W(3, 1, 1, 0, 0)}, {T(DType::kInt8, {1, 2, 8, 8})}),
            kMalformed);
}

TEST(InferDense, Linear) {
  EXPECT_EQ(ShapeFrom(Linear{}, {F({2, 5, 8}), F({3, 8}), F({3}), F({2, 5, 3})}), (Shape{2, 5, 3}));
  EXPECT_EQ(Refusal(Linear{}, {F({2, 7}), F({3, 8})}), kMalformed);
  EXPECT_EQ(Refusal(Linear{}, {F({}), F({3, 8})}), kMalformed);
  EXPECT_EQ(Refusal(Linear{}, {F({2, 8}), F({3, 8}), F({8})}), kMalformed);
  EXPECT_EQ(Refusal(Linear{}, {F({2, 8}), F({3, 8}), None(), F({3})}), kMalformed);
}

TEST(InferDense, MatMul) {
  EXPECT_EQ(ShapeFrom(MatMul{}, {F({5, 1, 2, 3}), F({4, 3, 6})}), (Shape{5, 4, 2, 6}));
  EXPECT_EQ(ShapeFrom(MatMul{.transpose_a = true, .transpose_b = true}, {F({3, 2}), F({6, 3})}), (Shape{2, 6}));
  EXPECT_EQ(ShapeFrom(MatMul{}, {F({3}), F({4, 3, 6})}), (Shape{4, 6}));
  EXPECT_EQ(ShapeFrom(MatMul{}, {F({3}), F({3})}), (Shape{}));
  EXPECT_EQ(Refusal(MatMul{}, {F({2, 3}), F({2, 3})}), kMalformed);
  EXPECT_EQ(Refusal(MatMul{}, {F({2, 2, 3}), F({3, 3, 3})}), kMalformed);
  EXPECT_EQ(Refusal(MatMul{}, {F({}), F({1})}), kMalformed);
  EXPECT_EQ(Refusal(MatMul{.transpose_a = true}, {F({3}), F({3, 3})}), kMalformed);
}

TEST(InferDense, NormalisationsKeepTheType) {
  Operand x = F({2, 6, 4});
  EXPECT_EQ(ShapeFrom(ChannelAffine{}, {x, F({6}), F({6})}), (Shape{2, 6, 4}));
  EXPECT_EQ(ShapeFrom(GroupNorm{.groups = 3}, {x, F({6}), F({6})}), (Shape{2, 6, 4}));
  EXPECT_EQ(ShapeFrom(Lrn{}, {x}), (Shape{2, 6, 4}));
  EXPECT_EQ(ShapeFrom(Softmax{.axis = -3}, {x}), (Shape{2, 6, 4}));
  EXPECT_EQ(ShapeFrom(LayerNorm{.axis = 1}, {x, F({6, 4}), F({6, 4})}), (Shape{2, 6, 4}));
  EXPECT_EQ(Refusal(ChannelAffine{}, {x, F({4}), F({6})}), kMalformed);
  EXPECT_EQ(Refusal(ChannelAffine{}, {F({6}), F({6}), F({6})}), kMalformed);
  EXPECT_EQ(Refusal(GroupNorm{.groups = 4}, {x, F({6}), F({6})}), kMalformed);
  EXPECT_EQ(Refusal(Softmax{.axis = 3}, {x}), kMalformed);
  EXPECT_EQ(Refusal(Softmax{.axis = INT64_MIN}, {x}), kMalformed);
  EXPECT_EQ(Refusal(LayerNorm{.axis = -1}, {x, F({6, 4})}), kMalformed);
  EXPECT_EQ(Refusal(LayerNorm{.axis = -1}, {x, F({5})}), kMalformed);
  EXPECT_EQ(Refusal(LayerNorm{.axis = 1}, {x, F({6, 4}), F({4})}), kMalformed);
  EXPECT_EQ(Refusal(LayerNorm{.axis = -1}, {x, F({1})}), kMalformed);
}

TEST(InferElementwise, Binary) {
  EXPECT_EQ(ShapeFrom(Binary{}, {F({2, 1, 3}), F({4, 1})}), (Shape{2, 4, 3}));
  EXPECT_EQ(InferOf(Binary{.kind = BinaryKind::kLess}, {F({2}), F({})}).value()[0],
            (TensorType{DType::kBool, {2}}));
  EXPECT_EQ(Refusal(Binary{}, {F({2}), F({3})}), kMalformed);
  EXPECT_EQ(Refusal(Binary{}, {F({2}), T(DType::kInt64, {2})}), kMalformed);
  EXPECT_EQ(Refusal(Binary{.kind = BinaryKind::kAnd}, {F({2}), F({2})}), kMalformed);
  EXPECT_EQ(Refusal(Binary{.kind = BinaryKind::kMod}, {F({2}), F({2})}), kMalformed);
  EXPECT_EQ(Refusal(Binary{.kind = BinaryKind::kPRelu}, {F({2}), F({3, 2})}), kMalformed);
  Binary activated{.kind = BinaryKind::kLess, .activation = Activation::kRelu};
  EXPECT_EQ(Refusal(activated, {F({2}), F({2})}), kMalformed);
}

TEST(InferElementwise, UnaryWhereCastTrilu) {
  Operand flag = T(DType::kBool, {3});
  EXPECT_EQ(InferOf(Unary{.kind = UnaryKind::kIsNan}, {F({3})}).value()[0].dtype, DType::kBool);
  EXPECT_EQ(Refusal(Unary{.kind = UnaryKind::kNot}, {F({3})}), kMalformed);
  EXPECT_EQ(Refusal(Unary{.kind = UnaryKind::kExp}, {T(DType::kInt32, {3})}), kMalformed);
  EXPECT_EQ(Refusal(Unary{.kind = UnaryKind::kRelu}, {flag}), kMalformed);
  EXPECT_EQ(ShapeFrom(Where{}, {flag, F({2, 1}), F({})}), (Shape{2, 3}));
  EXPECT_EQ(Refusal(Where{}, {F({3}), F({3}), F({3})}), kMalformed);
  EXPECT_EQ(Refusal(Where{}, {flag, F({3}), flag}), kMalformed);
  EXPECT_EQ(Refusal(Where{}, {flag, F({2}), F({3})}), kMalformed);
  EXPECT_EQ(InferOf(Cast{.to = DType::kInt8}, {F({3})}).value()[0], (TensorType{DType::kInt8, {3}}));
  EXPECT_EQ(ShapeFrom(Trilu{}, {F({2, 3}), S(-1)}), (Shape{2, 3}));
  EXPECT_EQ(Refusal(Trilu{}, {F({3})}), kMalformed);
  EXPECT_EQ(Refusal(Trilu{}, {F({2, 3}), I({1, 2})}), kMalformed);
}

TEST(InferElementwise, Reduce) {
  Operand x = F({2, 3, 4, 5});
  EXPECT_EQ(ShapeFrom(Reduce{}, {x}), (Shape{1, 1, 1, 1}));
  EXPECT_EQ(ShapeFrom(Reduce{.keep_dims = false}, {x, I({-1, 1})}), (Shape{2, 4}));
  EXPECT_EQ(ShapeFrom(Reduce{.empty_axes_is_noop = true}, {x, I({})}), (Shape{2, 3, 4, 5}));
  EXPECT_EQ(ShapeFrom(Reduce{.spatial = true}, {x}), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(InferOf(Reduce{.kind = ReduceKind::kArgMax, .keep_dims = false}, {x, I({1})}).value()[0],
            (TensorType{DType::kInt64, {2, 4, 5}}));
  EXPECT_EQ(Refusal(Reduce{}, {x, I({0, -4})}), kMalformed) << "an axis named twice";
  EXPECT_EQ(Refusal(Reduce{}, {x, I({4})}), kMalformed);
  EXPECT_EQ(Refusal(Reduce{}, {x, T(DType::kInt64, {1})}), kUnsupported);
  EXPECT_EQ(Refusal(Reduce{.spatial = true}, {F({2, 3})}), kMalformed);
  EXPECT_EQ(Refusal(Reduce{.kind = ReduceKind::kArgMin}, {x, I({0, 1})}), kMalformed);
  EXPECT_EQ(Refusal(Reduce{.kind = ReduceKind::kArgMin}, {F({0}), I({0})}), kMalformed);
  EXPECT_EQ(Refusal(Reduce{.kind = ReduceKind::kL2}, {T(DType::kInt32, {2})}), kMalformed);
  EXPECT_EQ(Refusal(Reduce{}, {T(DType::kBool, {2})}), kMalformed);
}

TEST(InferShape, Reshape) {
  Operand x = F({2, 3, 4});
  EXPECT_EQ(ShapeFrom(Reshape{}, {x, I({0, -1})}), (Shape{2, 12}));
  EXPECT_EQ(ShapeFrom(Reshape{}, {F({1}), I({})}), (Shape{}));
  EXPECT_EQ(ShapeFrom(Reshape{.allow_zero = true}, {F({0, 5}), I({3, 0})}), (Shape{3, 0}));
  EXPECT_EQ(Refusal(Reshape{}, {x, I({-1, -1})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({5, -1})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({25})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({-2, -12})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({2, 3, 4, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{.allow_zero = true}, {F({0}), I({0, -1})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({INT64_MAX, INT64_MAX})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, I({1, 1, 1, 1, 1, 1, 1, 1, 24})}), kMalformed);
  EXPECT_EQ(Refusal(Reshape{}, {x, T(DType::kInt64, {2})}), kUnsupported);
  EXPECT_EQ(Refusal(Reshape{}, {x, C<int32_t>({1}, {24})}), kMalformed);
}

TEST(InferShape, FlattenSqueezeUnsqueeze) {
  EXPECT_EQ(ShapeFrom(Flatten{.axis = 0}, {F({2, 3, 4})}), (Shape{1, 24}));
  EXPECT_EQ(ShapeFrom(Flatten{.axis = 3}, {F({2, 3, 4})}), (Shape{24, 1}));
  EXPECT_EQ(ShapeFrom(Flatten{.axis = -1}, {F({2, 3, 4})}), (Shape{6, 4}));
  EXPECT_EQ(Refusal(Flatten{.axis = 4}, {F({2, 3, 4})}), kMalformed);
  EXPECT_EQ(ShapeFrom(Squeeze{}, {F({1, 3, 1})}), (Shape{3}));
  EXPECT_EQ(ShapeFrom(Squeeze{}, {F({1, 3, 1}), I({-1})}), (Shape{1, 3}));
  EXPECT_EQ(Refusal(Squeeze{}, {F({1, 3, 1}), I({1})}), kMalformed);
  EXPECT_EQ(ShapeFrom(Unsqueeze{}, {F({3}), I({-1, 0})}), (Shape{1, 3, 1}));
  EXPECT_EQ(Refusal(Unsqueeze{}, {F({3}), I({0, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Unsqueeze{}, {F({3}), I({2})}), kMalformed);
  EXPECT_EQ(Refusal(Unsqueeze{}, {F(Shape(8, 1)), I({0})}), kMalformed);
}

TEST(InferShape, TransposeConcatSplit) {
  EXPECT_EQ(ShapeFrom(Transpose{}, {F({2, 3, 4})}), (Shape{4, 3, 2}));
  EXPECT_EQ(ShapeFrom(Transpose{.perm = {1, 2, 0}}, {F({2, 3, 4})}), (Shape{3, 4, 2}));
  EXPECT_EQ(Refusal(Transpose{.perm = {1, 0}}, {F({2, 3, 4})}), kMalformed);
  EXPECT_EQ(ShapeFrom(Concat{.axis = -1}, {F({2, 3}), F({2, 0}), F({2, 4})}), (Shape{2, 7}));
  EXPECT_EQ(Refusal(Concat{.axis = 0}, {F({2, 3}), F({2, 4})}), kMalformed);
  EXPECT_EQ(Refusal(Concat{.axis = 0}, {F({2, 3}), F({2})}), kMalformed);
  EXPECT_EQ(Refusal(Concat{.axis = 0}, {F({2}), T(DType::kInt64, {2})}), kMalformed);
  EXPECT_EQ(Refusal(Concat{.axis = 0}, {F({})}), kMalformed);
  std::vector<TensorType> parts = InferOf(Split{.axis = 1}, {F({2, 7})}, 3).value();
  EXPECT_EQ(parts[0].shape, (Shape{2, 3}));
  EXPECT_EQ(parts[2].shape, (Shape{2, 1}));
  EXPECT_EQ(InferOf(Split{.axis = 0}, {F({2, 7}), I({0, 2})}, 2).value()[1].shape, (Shape{2, 7}));
  EXPECT_EQ(Refusal(Split{.axis = 1}, {F({2, 7})}, 6), kMalformed) << "parts of 2 are used up by the fourth";
  EXPECT_EQ(Refusal(Split{.axis = 1}, {F({2, 7}), I({3, 3})}, 2), kMalformed);
  EXPECT_EQ(Refusal(Split{.axis = 1}, {F({2, 7}), I({8, -1})}, 2), kMalformed);
  EXPECT_EQ(Refusal(Split{.axis = 1}, {F({2, 7}), I({7})}, 2), kMalformed);
}

TEST(InferShape, ShapeOfFillRange) {
  EXPECT_EQ(ShapeFrom(ShapeOf{}, {F({2, 3, 4})}), (Shape{3}));
  EXPECT_EQ(ShapeFrom(ShapeOf{.start = -2, .end = -1}, {F({2, 3, 4})}), (Shape{1}));
  EXPECT_EQ(ShapeFrom(ShapeOf{.start = 5, .end = INT64_MIN}, {F({2, 3, 4})}), (Shape{0}));
  EXPECT_EQ(InferOf(Fill{}, {I({2, 3}), C<float>({1}, {0.5f})}).value()[0], (TensorType{DType::kFloat32, {2, 3}}));
  EXPECT_EQ(Refusal(Fill{}, {I({-1}), F({1})}), kMalformed);
  EXPECT_EQ(Refusal(Fill{}, {I({int64_t{1} << 60}), F({1})}), kMalformed);
  EXPECT_EQ(Refusal(Fill{}, {I({2}), F({2})}), kMalformed);
  EXPECT_EQ(ShapeFrom(Range{}, {S(1), S(10), S(3)}), (Shape{3}));
  EXPECT_EQ(ShapeFrom(Range{}, {S(10), S(0), S(-4)}), (Shape{3}));
  EXPECT_EQ(ShapeFrom(Range{}, {S(0), S(5), S(-1)}), (Shape{0}));
  EXPECT_EQ(ShapeFrom(Range{}, {S(INT64_MIN), S(INT64_MAX), S(INT64_MAX)}), (Shape{3}));
  EXPECT_EQ(ShapeFrom(Range{}, {C<float>({}, {0}), C<float>({}, {1}), C<float>({}, {0.3f})}), (Shape{4}));
  EXPECT_EQ(Refusal(Range{}, {S(0), S(5), S(0)}), kMalformed);
  EXPECT_EQ(Refusal(Range{}, {S(0), S(1 << 17), S(1)}), ErrorCode::kExhausted);
  EXPECT_EQ(Refusal(Range{}, {C<float>({}, {0}), C<float>({}, {1}), C<float>({}, {1e-20f})}), ErrorCode::kExhausted);
  EXPECT_EQ(Refusal(Range{}, {C<float>({}, {0}), C<float>({}, {NAN}), C<float>({}, {1})}), kMalformed);
  EXPECT_EQ(Refusal(Range{}, {S(0), T(DType::kInt64, {}), S(1)}), kUnsupported);
  EXPECT_EQ(Refusal(Range{}, {I({0, 0}), S(5), S(1)}), kMalformed);
}

TEST(InferIndex, SliceFollowsOnnx) {
  Operand x = F({10, 6});
  auto sliced = [&](Operand starts, Operand ends, Operand axes, Operand steps) {
    return ShapeFrom(Slice{}, {x, starts, ends, axes, steps});
  };
  EXPECT_EQ(sliced(I({1}), I({INT64_MAX}), None(), None()), (Shape{9, 6}));
  EXPECT_EQ(sliced(I({-3}), I({-1}), I({-1}), None()), (Shape{10, 2}));
  EXPECT_EQ(sliced(I({-1}), I({INT64_MIN}), I({0}), I({-1})), (Shape{10, 6}));
  EXPECT_EQ(sliced(I({8}), I({0}), I({0}), I({-3})), (Shape{3, 6}));
  EXPECT_EQ(sliced(I({5}), I({2}), I({0}), I({1})), (Shape{0, 6}));
  EXPECT_EQ(sliced(I({0}), I({10}), I({0}), I({INT64_MAX})), (Shape{1, 6}));
  EXPECT_EQ(sliced(I({9}), I({INT64_MIN}), I({0}), I({INT64_MIN})), (Shape{1, 6}));
  EXPECT_EQ(Refusal(Slice{}, {x, I({0}), I({1}), I({0}), I({0})}), kMalformed);
  EXPECT_EQ(Refusal(Slice{}, {x, I({0}), I({1, 2})}), kMalformed);
  EXPECT_EQ(Refusal(Slice{}, {x, I({0, 0, 0}), I({1, 1, 1})}), kMalformed);
  EXPECT_EQ(Refusal(Slice{}, {x, I({0, 0}), I({1, 1}), I({0, -2})}), kMalformed);
  EXPECT_EQ(Refusal(Slice{}, {x, I({0}), I({1}), I({2})}), kMalformed);
  EXPECT_EQ(Refusal(Slice{}, {x, T(DType::kInt64, {1}), I({1})}), kUnsupported);
}

TEST(InferIndex, Pad) {
  Operand x = F({3, 4});
  EXPECT_EQ(ShapeFrom(Pad{}, {x, I({1, 0, 2, -1})}), (Shape{6, 3}));
  EXPECT_EQ(ShapeFrom(Pad{}, {x, I({1, 2}), None(), I({-1})}), (Shape{3, 7}));
  EXPECT_EQ(Refusal(Pad{}, {x, I({1, 2})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({-2, 0, -2, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({-9, 0, 9, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({INT64_MAX, 0, INT64_MAX, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({int64_t{1} << 50, 0, 0, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{.mode = PadMode::kReflect}, {x, I({3, 0, 0, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{.mode = PadMode::kWrap}, {x, I({0, 5, 0, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{.mode = PadMode::kEdge}, {F({0}), I({1, 0})}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({0, 0, 0, 0}), S(1)}), kMalformed);
  EXPECT_EQ(Refusal(Pad{}, {x, I({0, 0, 0, 0}), F({2})}), kMalformed);
}

TEST(InferIndex, Gather) {
  EXPECT_EQ(ShapeFrom(Gather{.axis = 1}, {F({2, 3, 4}), T(DType::kInt32, {5, 6})}), (Shape{2, 5, 6, 4}));
  EXPECT_EQ(ShapeFrom(Gather{.axis = -1}, {F({2, 3}), S(0)}), (Shape{2}));
  EXPECT_EQ(ShapeFrom(Gather{.axis = 0, .elements = true}, {F({2, 3}), T(DType::kInt64, {7, 3})}), (Shape{7, 3}));
  EXPECT_EQ(Refusal(Gather{}, {F({2}), F({2})}), kMalformed);
  EXPECT_EQ(Refusal(Gather{.axis = 2}, {F({2, 3}), S(0)}), kMalformed);
  EXPECT_EQ(Refusal(Gather{}, {F({}), S(0)}), kMalformed);
  EXPECT_EQ(Refusal(Gather{}, {F(Shape(8, 2)), T(DType::kInt64, {1, 1})}), kMalformed) << "rank 9";
  EXPECT_EQ(Refusal(Gather{.elements = true}, {F({2, 3}), T(DType::kInt64, {2})}), kMalformed);
  EXPECT_EQ(Refusal(Gather{.elements = true}, {F({2, 3}), T(DType::kInt64, {2, 4})}), kMalformed);
}

TEST(InferIndex, ExpandTile) {
  EXPECT_EQ(ShapeFrom(Expand{}, {F({3, 1}), I({2, 1, 4})}), (Shape{2, 3, 4}));
  EXPECT_EQ(ShapeFrom(Expand{}, {F({3, 4}), I({1})}), (Shape{3, 4}));
  EXPECT_EQ(Refusal(Expand{}, {F({3}), I({2})}), kMalformed);
  EXPECT_EQ(Refusal(Expand{}, {F({1}), I({-1})}), kMalformed);
  EXPECT_EQ(Refusal(Expand{}, {F({1}), I({1, 1, 1, 1, 1, 1, 1, 1, 1})}), kMalformed);
  EXPECT_EQ(ShapeFrom(Tile{}, {F({2, 3}), I({3, 0})}), (Shape{6, 0}));
  EXPECT_EQ(Refusal(Tile{}, {F({2, 3}), I({3})}), kMalformed);
  EXPECT_EQ(Refusal(Tile{}, {F({2}), I({-1})}), kMalformed);
  EXPECT_EQ(Refusal(Tile{}, {F({2}), I({INT64_MAX})}), kMalformed);
}

TEST(InferIndex, Resize) {
  Operand x = F({1, 3, 5, 5});
  EXPECT_EQ(ShapeFrom(Resize{}, {x, C<float>({4}, {1, 1, 2, 0.5f})}), (Shape{1, 3, 10, 2}));
  EXPECT_EQ(ShapeFrom(Resize{}, {x, None(), I({1, 3, 7, 8})}), (Shape{1, 3, 7, 8}));
  EXPECT_EQ(Refusal(Resize{}, {x, C<float>({2}, {1, 1})}), kMalformed);
  EXPECT_EQ(Refusal(Resize{}, {x, I({1, 1, 1, 1})}), kMalformed);
  EXPECT_EQ(Refusal(Resize{}, {x, F({4})}), kUnsupported);
  for (float scale : {0.0f, -1.0f, NAN, INFINITY, 1e30f})
    EXPECT_EQ(Refusal(Resize{}, {x, C<float>({4}, {1, 1, 1, scale})}), kMalformed);
  EXPECT_EQ(Refusal(Resize{}, {x, None(), I({1, 3, -7, 8})}), kMalformed);
  EXPECT_EQ(Refusal(Resize{}, {F({0}), None(), I({1})}), kMalformed);
  EXPECT_EQ(Refusal(Resize{}, {T(DType::kBool, {1}), None(), I({1})}), kMalformed);
}

TEST(InferIndex, DepthToSpace) {
  EXPECT_EQ(ShapeFrom(DepthToSpace{.block = 2}, {F({1, 8, 3, 4})}), (Shape{1, 2, 6, 8}));
  EXPECT_EQ(ShapeFrom(DepthToSpace{.block = 2, .inverse = true}, {F({1, 2, 6, 8})}), (Shape{1, 8, 3, 4}));
  EXPECT_EQ(Refusal(DepthToSpace{.block = 3}, {F({1, 8, 3, 4})}), kMalformed);
  EXPECT_EQ(Refusal(DepthToSpace{.block = 4, .inverse = true}, {F({1, 2, 6, 8})}), kMalformed);
  EXPECT_EQ(Refusal(DepthToSpace{.block = 2}, {F({8, 3, 4})}), kMalformed);
  EXPECT_EQ(Refusal(DepthToSpace{.block = INT32_MAX}, {F({0, 0, 1, 1})}), kMalformed) << "overflow";
}

TEST(InferTypes, OutputsBeyondAnyMachineAreMalformed) {
  int64_t big = int64_t{1} << 40;
  EXPECT_EQ(Refusal(Binary{}, {F({big, 1}), F({1, big})}), kMalformed);
}

TEST(InferTypes, ChecksTheNodeItself) { EXPECT_EQ(Refusal(Conv{}, {F({1, 1, 1}), F({1, 1, 1})}), kMalformed); }

TEST(InferSelect, CumSum) {
  EXPECT_EQ(ShapeFrom(CumSum{}, {F({2, 3}), S(-1)}), (Shape{2, 3}));
  EXPECT_EQ(Refusal(CumSum{}, {F({2, 3}), S(2)}), kMalformed);
  EXPECT_EQ(Refusal(CumSum{}, {F({2, 3}), I({0, 1})}), kMalformed);
  EXPECT_EQ(Refusal(CumSum{}, {F({2, 3}), T(DType::kInt64, {})}), kUnsupported);
  EXPECT_EQ(Refusal(CumSum{}, {T(DType::kBool, {2}), S(0)}), kMalformed);
}

TEST(InferSelect, TopK) {
  Result<std::vector<TensorType>> types = InferOf(TopK{.axis = 0}, {F({5, 2}), I({3})}, 2);
  ASSERT_TRUE(types.ok());
  EXPECT_EQ(TypeString((*types)[0]), "float32[3, 2]");
  EXPECT_EQ(TypeString((*types)[1]), "int64[3, 2]");
  EXPECT_EQ(Refusal(TopK{.axis = 0}, {F({5, 2}), I({6})}, 2), kMalformed);
  EXPECT_EQ(Refusal(TopK{.axis = 0}, {F({5, 2}), I({-1})}, 2), kMalformed);
  EXPECT_EQ(Refusal(TopK{.axis = 2}, {F({5, 2}), I({1})}, 2), kMalformed);
}

TEST(InferSelect, GatherNd) {
  EXPECT_EQ(ShapeFrom(GatherNd{}, {F({2, 3, 4}), T(DType::kInt64, {5, 2})}), (Shape{5, 4}));
  EXPECT_EQ(ShapeFrom(GatherNd{1}, {F({2, 3, 4}), T(DType::kInt32, {2, 1})}), (Shape{2, 4}));
  EXPECT_EQ(Refusal(GatherNd{}, {F({2, 3}), T(DType::kInt64, {5, 3})}), kMalformed);
  EXPECT_EQ(Refusal(GatherNd{}, {F({2, 3}), T(DType::kInt64, {})}), kMalformed);
  EXPECT_EQ(Refusal(GatherNd{1}, {F({2, 3}), T(DType::kInt64, {3, 1})}), kMalformed);
  EXPECT_EQ(Refusal(GatherNd{2}, {F({2, 3}), T(DType::kInt64, {2, 3})}), kMalformed);
  EXPECT_EQ(Refusal(GatherNd{}, {F({2, 3}), F({2, 1})}), kMalformed);
}

TEST(InferSelect, Scatter) {
  Scatter elements{.axis = 1, .elements = true};
  EXPECT_EQ(ShapeFrom(Scatter{}, {F({4, 3}), T(DType::kInt64, {2, 1}), F({2, 3})}), (Shape{4, 3}));
  EXPECT_EQ(ShapeFrom(elements, {F({4, 3}), T(DType::kInt32, {2, 5}), F({2, 5})}), (Shape{4, 3}));
  EXPECT_EQ(Refusal(Scatter{}, {F({4, 3}), T(DType::kInt64, {2, 1}), F({2, 2})}), kMalformed);
  EXPECT_EQ(Refusal(Scatter{}, {F({4, 3}), T(DType::kInt64, {2, 1}), T(DType::kInt64, {2, 3})}), kMalformed);
  EXPECT_EQ(Refusal(elements, {F({4, 3}), T(DType::kInt64, {5, 1}), F({5, 1})}), kMalformed);
  EXPECT_EQ(Refusal(elements, {F({4, 3}), T(DType::kInt64, {2, 1}), F({1, 2})}), kMalformed);
}

TEST(InferSelect, Recurrent) {
  Result<std::vector<TensorType>> types = InferOf(Recurrent{}, {F({5, 2, 12}), F({12, 3})}, 3);
  ASSERT_TRUE(types.ok());
  EXPECT_EQ(TypeString((*types)[0]), "float32[5, 2, 3]");
  EXPECT_EQ(TypeString((*types)[2]), "float32[2, 3]");
  Recurrent gru{.kind = RecurrentKind::kGru};
  EXPECT_EQ(Refusal(gru, {F({5, 2, 12}), F({12, 3})}, 2), kMalformed);
  EXPECT_EQ(Refusal(gru, {F({5, 2, 9}), F({9, 3}), F({8})}, 2), kMalformed);
  EXPECT_EQ(Refusal(gru, {F({5, 2, 9}), F({9, 3}), None(), T(DType::kInt64, {3})}, 2), kMalformed);
  EXPECT_EQ(Refusal(gru, {F({5, 2, 9}), F({9, 3}), None(), None(), F({3, 3})}, 2), kMalformed);
  EXPECT_EQ(Refusal(gru, {F({5, 2, 9}), F({9, 3}), None(), None(), None(), F({2, 3})}, 2), kMalformed);
  EXPECT_EQ(Refusal(Recurrent{.linear_before_reset = true}, {F({5, 2, 12}), F({12, 3})}, 3), kMalformed);
}

}  // namespace
}  // namespace soter
