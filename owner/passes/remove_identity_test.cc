#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

TEST(RemoveIdentity, InTheMiddle) {
  TestGraph g;
  const ValueId x = g.Input({1, 2, 4, 4});
  const ValueId same = g.Node(Unary{UnaryKind::kIdentity}, {x});
  const ValueId transposed = g.Node(Transpose{{0, 1, 2, 3}}, {same});
  const ValueId pooled = g.Node(Pool{PoolKind::kAverage, WindowOf({1, 1})}, {transposed});
  const Graph graph = RemoveIdentity(g.Take({g.Node(Unary{UnaryKind::kRelu}, {pooled})}));
  EXPECT_THAT(Names(graph), ElementsAre("Relu"));
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre(x));
}

TEST(RemoveIdentity, BeforeAnOutputTheProducerTakesTheName) {
  TestGraph g;
  const ValueId h = g.Node(Unary{UnaryKind::kRelu}, {g.Input({2})});
  const ValueId other = g.Node(Unary{UnaryKind::kExp}, {h});
  const ValueId y = g.Node(Unary{UnaryKind::kIdentity}, {h});
  const Graph graph = RemoveIdentity(g.Take({y, other, g.Node(Unary{UnaryKind::kNeg}, {h})}));
  EXPECT_THAT(Names(graph), ElementsAre("Relu", "Exp", "Neg"));
  EXPECT_EQ(graph.value_names[graph.outputs[0]], "y");
  EXPECT_THAT(graph.nodes[2].inputs, ElementsAre(y));
}

TEST(RemoveIdentity, StaysBetweenAnInputAndAnOutput) {
  TestGraph g;
  const ValueId y = g.Node(Unary{UnaryKind::kIdentity}, {g.Input({2})});
  EXPECT_THAT(Names(RemoveIdentity(g.Take({y}))), ElementsAre("Identity"));
}

TEST(RemoveIdentity, StaysBetweenTwoOutputs) {
  TestGraph g;
  const ValueId h = g.Node(Unary{UnaryKind::kRelu}, {g.Input({2})});
  const Graph graph = RemoveIdentity(g.Take({h, g.Node(Unary{UnaryKind::kIdentity}, {h})}));
  EXPECT_THAT(Names(graph), ElementsAre("Relu", "Identity"));
}

TEST(RemoveIdentity, LeavesWhatChangesItsOperand) {
  TestGraph g;
  const ValueId transposed = g.Node(Transpose{{0, 1, 3, 2}}, {g.Input({1, 2, 4, 4})});
  Pool strided{PoolKind::kMax, WindowOf({1, 1})};
  strided.window.strides = {2, 2};
  const ValueId absolute = g.Node(Pool{PoolKind::kLp, WindowOf({1, 1})}, {g.Node(strided, {transposed})});
  EXPECT_EQ(Names(RemoveIdentity(g.Take({absolute}))).size(), 3u);
}

}  // namespace
}  // namespace soter
