#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kWidth = 4;

struct Parts {
  std::vector<int64_t> axes = {-1};
  bool square_by_product = false, subtract_twice = false, multiply_by_inverse = false;
  float exponent = 2;
};

// c / sqrt(mean(c^2) + 1e-5), where c is x - mean(x), or x itself for RMSNorm.
ValueId AddNormal(TestGraph& g, ValueId x, const Parts& parts, bool rms = false) {
  const auto mean = [&](ValueId v) { return g.Node(Reduce{ReduceKind::kMean}, {v, g.Int64s(parts.axes)}); };
  const ValueId m = rms ? kNoValue : mean(x);
  const auto centred = [&] { return rms ? x : g.Node(Binary{BinaryKind::kSub}, {x, m}); };
  const ValueId c = centred();
  const ValueId again = parts.subtract_twice ? centred() : c;
  const ValueId square = parts.square_by_product
                             ? g.Node(Binary{BinaryKind::kMul}, {again, again})
                             : g.Node(Binary{BinaryKind::kPow}, {again, g.Scalar(parts.exponent)});
  const ValueId guarded = g.Node(Binary{BinaryKind::kAdd}, {mean(square), g.Scalar(1e-5f)});
  const ValueId deviation = g.Node(Unary{UnaryKind::kSqrt}, {guarded});
  if (!parts.multiply_by_inverse) return g.Node(Binary{BinaryKind::kDiv}, {c, deviation});
  const ValueId inverse = g.Node(Binary{BinaryKind::kDiv}, {g.Scalar(1), deviation});
  return g.Node(Binary{BinaryKind::kMul}, {c, inverse});
}

TEST(RecogniseLayerNorm, WithScaleAndBiasInEveryForm) {
  for (const Parts& parts : {Parts{}, Parts{.axes = {2}}, Parts{.square_by_product = true},
                             Parts{.subtract_twice = true}, Parts{.multiply_by_inverse = true}}) {
    TestGraph g;
    const ValueId x = g.Input({-1, 3, kWidth}), scale = g.Filled({kWidth}, 2), bias = g.Filled({kWidth}, 3);
    const ValueId scaled = g.Node(Binary{BinaryKind::kMul}, {scale, AddNormal(g, x, parts)});
    const Graph graph = RecogniseLayerNorm(g.Take({g.Node(Binary{BinaryKind::kAdd}, {scaled, bias})}));
    EXPECT_THAT(Names(graph), ElementsAre("LayerNorm"));
    EXPECT_EQ(std::get<LayerNorm>(graph.nodes[0].op), (LayerNorm{-1, 1e-5f, false}));
    EXPECT_THAT(graph.nodes[0].inputs, ElementsAre(x, scale, bias));
  }
}

TEST(RecogniseLayerNorm, OverTwoAxes) {
  TestGraph g;
  const ValueId x = g.Input({2, 3, kWidth});
  const Graph graph = RecogniseLayerNorm(g.Take({AddNormal(g, x, {.axes = {-1, -2}})}));
  ASSERT_THAT(Names(graph), ElementsAre("LayerNorm"));
  EXPECT_EQ(std::get<LayerNorm>(graph.nodes[0].op).axis, -2);
}

TEST(RecogniseLayerNorm, WithoutTheMeanItIsRms) {
  TestGraph g;
  const ValueId x = g.Input({2, kWidth}), scale = g.Filled({kWidth}, 2);
  const ValueId y = g.Node(Binary{BinaryKind::kMul}, {AddNormal(g, x, {.multiply_by_inverse = true}, true), scale});
  const Graph graph = RecogniseLayerNorm(g.Take({y}));
  ASSERT_THAT(Names(graph), ElementsAre("LayerNorm"));
  EXPECT_TRUE(std::get<LayerNorm>(graph.nodes[0].op).rms);
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre(x, scale));
}

TEST(RecogniseLayerNorm, NotOverLeadingAxesNorWithAnotherPower) {
  for (const Parts& parts : {Parts{.axes = {0}}, Parts{.axes = {-2}}, Parts{.exponent = 3}}) {
    TestGraph g;
    const ValueId x = g.Input({2, kWidth});
    EXPECT_GT(Names(RecogniseLayerNorm(g.Take({AddNormal(g, x, parts)}))).size(), 1u);
  }
}

TEST(RecogniseLayerNorm, AScaleOfAnotherShapeStaysAProduct) {
  TestGraph g;
  const ValueId normal = AddNormal(g, g.Input({2, kWidth}), {});
  const Graph graph = RecogniseLayerNorm(g.Take({g.Node(Binary{BinaryKind::kMul}, {normal, g.Scalar(2)})}));
  EXPECT_THAT(Names(graph), ElementsAre("LayerNorm", "Mul"));
}

}  // namespace
}  // namespace soter
