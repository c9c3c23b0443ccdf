#include "trusted/mask/scales.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "trusted/testing/networks.h"
#include "trusted/mask/transfer.h"

namespace soter {
namespace {

using testing::GraphBuilder;

StaticGraph BindBatch(const ValidatedGraph& graph, int64_t batch) {
  return Bind(graph, std::vector<Shape>{{batch, 3, 12, 12}}).value();
}

TEST(ScaleBook, KeepsAScaleOnceItIsDrawn) {
  auto random = MakeSystemRandom();
  ScaleBook book(*random, false);
  float first = book.ScaleOf(3);
  EXPECT_EQ(book.ScaleOf(3), first);
}

TEST(ScaleBook, ScalesArePositiveAndBounded) {
  auto random = MakeSystemRandom();
  ScaleBook book(*random, false);
  std::set<float> seen;
  for (ValueId value = 0; value < 1000; ++value) {
    float scale = book.ScaleOf(value);
    EXPECT_GE(scale, 0.125f);
    EXPECT_LE(scale, 8.0f);
    seen.insert(scale);
  }
  EXPECT_GT(seen.size(), 990u);  // 2^-23 apart at worst, so two of a thousand hardly ever agree
}

TEST(ScaleClasses, AnAddForcesOneScaleOnBothBranches) {
  StaticGraph graph = BindBatch(testing::SmallCnn(), 1);
  ScaleClasses classes(graph, std::vector<bool>(graph.graph().nodes.size(), true));
  for (const Node& node : graph.graph().nodes) {
    const auto* binary = std::get_if<Binary>(&node.op);
    if (binary == nullptr) continue;
    EXPECT_EQ(classes.Representative(node.inputs[0]), classes.Representative(node.inputs[1]));
    EXPECT_EQ(classes.Representative(node.inputs[0]), classes.Representative(node.outputs[0]));
  }
}

TEST(ScaleClasses, ALinearOperatorSeparatesItsInputFromItsOutput) {
  StaticGraph graph = BindBatch(testing::SmallCnn(), 1);
  ScaleClasses classes(graph, std::vector<bool>(graph.graph().nodes.size(), true));
  const Node& first = graph.graph().nodes[0];
  ASSERT_TRUE(std::holds_alternative<Conv>(first.op));
  EXPECT_NE(classes.Representative(first.inputs[0]), classes.Representative(first.outputs[0]));
}

TEST(ScaleClasses, NodesThatAreNotMaskedJoinNothing) {
  StaticGraph graph = BindBatch(testing::SmallCnn(), 1);
  ScaleClasses classes(graph, std::vector<bool>(graph.graph().nodes.size(), false));
  for (const Node& node : graph.graph().nodes) EXPECT_EQ(classes.Representative(node.outputs[0]), node.outputs[0]);
}

TEST(CanMask, RefusesWhatAScaleDoesNotPassThrough) {
  GraphBuilder b;
  ValueId x = b.Input("x", {Dim::Constant(2), Dim::Constant(4)});
  std::vector<ValueId> outputs = {b.Apply(Softmax{}, {x}), b.Apply(Unary{.kind = UnaryKind::kSigmoid}, {x}),
                                  b.Apply(Binary{.kind = BinaryKind::kPRelu}, {x, b.Parameter({4})})};
  StaticGraph graph = Bind(b.Finish(outputs), std::vector<Shape>{{2, 4}}).value();
  for (const Node& node : graph.graph().nodes) EXPECT_FALSE(CanMask(graph, node)) << OpName(node.op);
}

TEST(CanMask, AcceptsSumsAndProductsWithConstants) {
  GraphBuilder b;
  ValueId x = b.Input("x", {Dim::Constant(2), Dim::Constant(4)});
  std::vector<ValueId> outputs = {b.Add(x, b.Parameter({4})),
                                  b.Apply(Binary{.kind = BinaryKind::kMul}, {b.Parameter({4}), x})};
  StaticGraph graph = Bind(b.Finish(outputs), std::vector<Shape>{{2, 4}}).value();
  const std::vector<Node>& nodes = graph.graph().nodes;
  EXPECT_TRUE(CanMask(graph, nodes[0]));
  EXPECT_TRUE(CanMask(graph, nodes[1]));
  EXPECT_EQ(RoleOf(graph, nodes[0], 1), OperandRole::kOffset);
  EXPECT_EQ(RoleOf(graph, nodes[1], 0), OperandRole::kWeight);
  EXPECT_EQ(DataInput(graph, nodes[1]), x);
}

TEST(RandomSource, SeededRepeatsAndSystemDoesNot) {
  EXPECT_EQ(MakeSeededRandom(5)->NextU64(), MakeSeededRandom(5)->NextU64());
  EXPECT_NE(MakeSystemRandom()->NextU64(), MakeSystemRandom()->NextU64());
}

TEST(RandomSource, SystemBytesDifferAcrossItsReadAhead) {
  auto random = MakeSystemRandom();
  std::set<uint64_t> seen;
  for (int i = 0; i < 5000; ++i) seen.insert(random->NextU64());  // ten read-aheads
  EXPECT_EQ(seen.size(), 5000u);
  std::vector<std::byte> large(10000), zeros(10000);
  random->Fill(large);
  EXPECT_NE(large, zeros);
}

TEST(RandomSource, GaussianHasMeanZeroAndVarianceOne) {
  auto random = MakeSeededRandom(9);
  double sum = 0, squares = 0;
  constexpr int kDraws = 200000;
  for (int i = 0; i < kDraws; ++i) {
    double g = random->NextGaussian();
    sum += g, squares += g * g;
  }
  EXPECT_NEAR(sum / kDraws, 0.0, 0.01);  // 4.5 standard errors
  EXPECT_NEAR(squares / kDraws, 1.0, 0.015);
}

TEST(RandomSource, NextBelowCoversItsRange) {
  auto random = MakeSeededRandom(2);
  std::set<uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random->NextBelow(5));
  EXPECT_EQ(seen, (std::set<uint64_t>{0, 1, 2, 3, 4}));
}

TEST(TakeIn, RestoresWhatSendScaledMasked) {
  std::vector<float> source = {1.0f, -2.0f, 3.5f, 0.0f};
  Tensor there = Tensor::Allocate({DType::kFloat32, {4}}).value(), here = Tensor::Allocate({DType::kFloat32, {4}}).value();
  SendScaled(source, 4.0f, there.mutable_bytes());
  EXPECT_EQ(there.As<float>()[2], 14.0f);
  UntrustedTensor answer{there.type(), Layout::kDense, there.bytes()};
  Result<Claim> claim = TakeIn(answer, 0.25f, {here.type(), Layout::kDense, here.mutable_bytes()});
  ASSERT_TRUE(claim.ok());
  EXPECT_EQ(std::vector<float>(here.As<float>().begin(), here.As<float>().end()), source);
}

TEST(TakeIn, AnotherTypeLayoutOrSizeIsMalformed) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, {1, 16, 2, 2}}).value();
  Tensor target = Tensor::Allocate({DType::kFloat32, {1, 16, 2, 2}}).value();
  PrivateTensor want{target.type(), Layout::kDense, target.mutable_bytes()};
  EXPECT_EQ(TakeIn({{DType::kFloat32, {16, 4}}, Layout::kDense, tensor.bytes()}, 1, want).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(TakeIn({tensor.type(), Layout::kNhwc, tensor.bytes()}, 1, want).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(TakeIn({tensor.type(), Layout::kDense, tensor.bytes().first(8)}, 1, want).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
