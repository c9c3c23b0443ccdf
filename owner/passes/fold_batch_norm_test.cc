#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

TEST(FoldBatchNorm, IntoConvWithAndWithoutBias) {
  for (bool bias : {false, true}) {
    TestGraph g;
    std::vector<ValueId> operands = {g.Input({1, 1, 4, 4}), g.Floats({2, 1, 1, 1}, {1, 2})};
    if (bias) operands.push_back(g.Floats({2}, {10, 20}));
    const ValueId h = g.Node(Conv{WindowOf({1, 1})}, operands);
    const ValueId y = g.Node(ChannelAffine{}, {h, g.Floats({2}, {3, 5}), g.Floats({2}, {7, 11})});
    const Graph graph = Must(FoldBatchNorm(g.Take({y})));
    EXPECT_THAT(Names(graph), ElementsAre("Conv"));
    EXPECT_EQ(graph.nodes[0].name, "n1");
    EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(3, 10));
    if (bias) EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[2]), ElementsAre(37, 111));
    else EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[2]), ElementsAre(7, 11));
    EXPECT_EQ(graph.initializers.size(), 2u);
  }
}

// The weight is [c, m / groups, kernel]: outputs 0 and 1 belong to input 0, outputs 2 and 3 to input 1.
TEST(FoldBatchNorm, IntoGroupedConvTranspose) {
  TestGraph g;
  const ConvTranspose conv{.window = WindowOf({1}), .output_padding = {0}, .groups = 2};
  const ValueId h = g.Node(conv, {g.Input({1, 2, 4}), g.Floats({2, 2, 1}, {1, 1, 1, 1})});
  const ValueId y = g.Node(ChannelAffine{}, {h, g.Floats({4}, {2, 3, 5, 7}), g.Filled({4}, 0)});
  const Graph graph = Must(FoldBatchNorm(g.Take({y})));
  EXPECT_THAT(Names(graph), ElementsAre("ConvTranspose"));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(2, 3, 5, 7));
}

TEST(FoldBatchNorm, IntoLinearOnlyWhereItsResultHasRankTwo) {
  for (const Shape& shape : {Shape{-1, 2}, Shape{-1, 3, 2}}) {
    TestGraph g;
    const ValueId h = g.Node(Linear{}, {g.Input(shape), g.Filled({3, 2}, 1)});
    const ValueId y = g.Node(ChannelAffine{}, {h, g.Filled({3}, 2), g.Filled({3}, 0)});
    const Graph graph = Must(FoldBatchNorm(g.Take({y})));
    EXPECT_EQ(Names(graph).size(), shape.size() == 2 ? 1u : 2u);
  }
}

TEST(FoldBatchNorm, NotWhenSomebodyElseReadsTheConvolution) {
  TestGraph g;
  const ValueId h = g.Node(Conv{WindowOf({1, 1})}, {g.Input({1, 1, 4, 4}), g.Filled({1, 1, 1, 1}, 1)});
  const ValueId y = g.Node(ChannelAffine{}, {h, g.Filled({1}, 2), g.Filled({1}, 0)});
  EXPECT_EQ(Names(Must(FoldBatchNorm(g.Take({y, h})))).size(), 2u);
}

TEST(FoldBatchNorm, AWeightOfTwoConvolutionsIsScaledForOneOnly) {
  TestGraph g;
  const ValueId x = g.Input({1, 1, 4, 4}), w = g.Filled({1, 1, 1, 1}, 1);
  const ValueId h = g.Node(Conv{WindowOf({1, 1})}, {x, w});
  const ValueId y = g.Node(ChannelAffine{}, {h, g.Filled({1}, 2), g.Filled({1}, 0)});
  const Graph graph = Must(FoldBatchNorm(g.Take({y, g.Node(Conv{WindowOf({1, 1})}, {x, w})})));
  ASSERT_EQ(Names(graph).size(), 2u);
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(2));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[1].inputs[1]), ElementsAre(1));
}

TEST(FoldBatchNorm, NotIntoAConvolutionWithAnActivation) {
  TestGraph g;
  const Conv conv{.window = WindowOf({1, 1}), .activation = Activation::kRelu};
  const ValueId h = g.Node(conv, {g.Input({1, 1, 4, 4}), g.Filled({1, 1, 1, 1}, 1)});
  const ValueId y = g.Node(ChannelAffine{}, {h, g.Filled({1}, 2), g.Filled({1}, 0)});
  EXPECT_EQ(Names(Must(FoldBatchNorm(g.Take({y})))).size(), 2u);
}

}  // namespace
}  // namespace soter
