#include "common/graph/op_traits.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

// Homogeneous binds a graph of one node on data operands of `shape`, then `constants`, and asks about it.
bool Homogeneous(Op op, size_t data_count, const Shape& shape, std::vector<Tensor> constants = {}) {
  GraphBuilder b;
  std::vector<ValueId> operands;
  for (size_t i = 0; i < data_count; ++i) operands.push_back(b.Input(std::to_string(i), shape));
  for (Tensor& constant : constants) operands.push_back(b.Constant(std::move(constant)));
  b.Output(b.Add(std::move(op), operands));
  StaticGraph graph = b.Bind(std::vector<Shape>(data_count, shape)).value();
  return IsPositivelyHomogeneous(graph, graph.graph().nodes[0]);
}

std::vector<Tensor> One(Tensor tensor) {
  std::vector<Tensor> tensors;
  tensors.push_back(std::move(tensor));
  return tensors;
}

Tensor Integers(std::initializer_list<int64_t> values) {
  return Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values);
}

TEST(IsPositivelyHomogeneous, UnaryKinds) {
  for (UnaryKind kind : {UnaryKind::kRelu, UnaryKind::kLeakyRelu, UnaryKind::kNeg, UnaryKind::kAbs})
    EXPECT_TRUE(Homogeneous(Unary{.kind = kind, .alpha = 0.1f}, 1, {4}));
  for (UnaryKind kind : {UnaryKind::kSigmoid, UnaryKind::kGeluErf, UnaryKind::kSign, UnaryKind::kElu})
    EXPECT_FALSE(Homogeneous(Unary{.kind = kind, .alpha = 0.1f}, 1, {4}));
  EXPECT_TRUE(Homogeneous(Unary{.kind = UnaryKind::kClip, .alpha = 0, .beta = INFINITY}, 1, {4}));
  EXPECT_FALSE(Homogeneous(Unary{.kind = UnaryKind::kClip, .alpha = 0, .beta = 6}, 1, {4}));
}

TEST(IsPositivelyHomogeneous, BinaryKindsOfTwoDataOperands) {
  EXPECT_TRUE(Homogeneous(Binary{}, 2, {4}));
  EXPECT_TRUE(Homogeneous(Binary{.kind = BinaryKind::kMax}, 2, {4}));
  EXPECT_FALSE(Homogeneous(Binary{.kind = BinaryKind::kMul}, 2, {4}));
  EXPECT_FALSE(Homogeneous(Binary{}, 1, {4}, One(Tensor::FromValues<float>({}, {1.0f}))));
}

TEST(IsPositivelyHomogeneous, IntegersCarryNoScale) {
  GraphBuilder b;
  b.Output(b.Add(Unary{.kind = UnaryKind::kAbs}, {b.Input("x", Shape{2}, DType::kInt64)}));
  StaticGraph graph = b.Bind({{2}}).value();
  EXPECT_FALSE(IsPositivelyHomogeneous(graph, graph.graph().nodes[0]));
}

TEST(IsPositivelyHomogeneous, MovesAndPools) {
  Shape image = {1, 4, 4, 4};
  EXPECT_TRUE(Homogeneous(Pool{.window = {{2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}}, 1, image));
  EXPECT_TRUE(Homogeneous(Transpose{}, 1, image));
  EXPECT_TRUE(Homogeneous(Concat{}, 2, image));
  EXPECT_TRUE(Homogeneous(Flatten{}, 1, image));
  EXPECT_TRUE(Homogeneous(DepthToSpace{}, 1, image));
  EXPECT_TRUE(Homogeneous(Split{}, 1, {1, 2}));
  EXPECT_TRUE(Homogeneous(Gather{}, 1, image, One(Integers({0}))));
  EXPECT_TRUE(Homogeneous(Reduce{.spatial = true}, 1, image));
  EXPECT_FALSE(Homogeneous(Reduce{.kind = ReduceKind::kSumSquare}, 1, image));
  EXPECT_FALSE(Homogeneous(Softmax{}, 1, image));
  EXPECT_FALSE(Homogeneous(Lrn{}, 1, image));
}

TEST(IsPositivelyHomogeneous, PadOnlyWithZero) {
  EXPECT_TRUE(Homogeneous(Pad{}, 1, {3}, One(Integers({1, 1}))));
  for (float value : {0.0f, 1.0f}) {
    std::vector<Tensor> constants = One(Integers({1, 1}));
    constants.push_back(Tensor::FromValues<float>({}, {value}));
    EXPECT_EQ(Homogeneous(Pad{}, 1, {3}, std::move(constants)), value == 0.0f);
  }
}

TEST(IsLinear, MeansConstantWeights) {
  EXPECT_TRUE(IsLinear(Conv{}) && IsLinear(ConvTranspose{}) && IsLinear(Linear{}));
  EXPECT_FALSE(IsLinear(MatMul{}) || IsLinear(ChannelAffine{}));
}

TEST(IsBilinear, MatMulAndMul) {
  EXPECT_TRUE(IsBilinear(MatMul{}) && IsBilinear(Binary{.kind = BinaryKind::kMul}));
  EXPECT_FALSE(IsBilinear(Binary{}) || IsBilinear(Linear{}));
  EXPECT_FALSE(IsBilinear(Binary{.kind = BinaryKind::kMul, .activation = Activation::kRelu}));
}

int64_t MulAddsOf(const GraphBuilder& b, const Shape& shape) {
  StaticGraph graph = b.Bind({shape}).value();
  return MulAdds(graph, graph.graph().nodes[0]);
}

TEST(MulAdds, CountsEachMultiplyAddOnce) {
  GraphBuilder conv, transpose, linear, matmul, relu;
  Window window{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
  conv.Output(conv.Add(Conv{.window = window, .groups = 2}, {conv.Input("x", Shape{1, 4, 5, 5}),
                                                            conv.Weight({6, 2, 3, 3})}));
  EXPECT_EQ(MulAddsOf(conv, {1, 4, 5, 5}), 6 * 25 * 2 * 9);
  transpose.Output(transpose.Add(ConvTranspose{.window = window, .output_padding = {0, 0}},
                                 {transpose.Input("x", Shape{1, 4, 5, 5}), transpose.Weight({4, 6, 3, 3})}));
  EXPECT_EQ(MulAddsOf(transpose, {1, 4, 5, 5}), 4 * 25 * 6 * 9);
  linear.Output(linear.Add(Linear{}, {linear.Input("x", Shape{2, 8}), linear.Weight({3, 8})}));
  EXPECT_EQ(MulAddsOf(linear, {2, 8}), 2 * 3 * 8);
  ValueId x = matmul.Input("x", Shape{5, 2, 8});
  matmul.Output(matmul.Add(MatMul{.transpose_a = true}, {x, x}));
  EXPECT_EQ(MulAddsOf(matmul, {5, 2, 8}), 5 * 8 * 8 * 2);
  relu.Output(relu.Add(Unary{}, {relu.Input("x", Shape{9})}));
  EXPECT_EQ(MulAddsOf(relu, {9}), 0);
}

TEST(OpName, GivesTheKind) {
  EXPECT_STREQ(OpName(Unary{.kind = UnaryKind::kIdentity}), "Identity");
  EXPECT_STREQ(OpName(Unary{.kind = UnaryKind::kGeluErf}), "GeluErf");
  EXPECT_STREQ(OpName(Binary{.kind = BinaryKind::kXor}), "Xor");
  EXPECT_STREQ(OpName(Pool{.kind = PoolKind::kAverage}), "AveragePool");
  EXPECT_STREQ(OpName(Reduce{.kind = ReduceKind::kArgMin}), "ArgMin");
  EXPECT_STREQ(OpName(Conv{}), "Conv");
  EXPECT_STREQ(OpName(Unary{.kind = static_cast<UnaryKind>(250)}), "unknown");
}

}  // namespace
}  // namespace soter
