#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

TEST(LowerMatMulAdd, MakesALinearWithBias) {
  TestGraph g;
  const ValueId x = g.Input({-1, 5, 2});
  const ValueId h = g.Node(MatMul{.alpha = 2}, {x, g.Floats({2, 3}, {1, 2, 3, 4, 5, 6})});
  const ValueId y = g.Node(Binary{BinaryKind::kAdd}, {g.Floats({3}, {1, 2, 3}), h});
  const Graph graph = Must(LowerMatMulAdd(g.Take({y})));
  EXPECT_THAT(Names(graph), ElementsAre("Linear"));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(2, 8, 4, 10, 6, 12));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[2]), ElementsAre(1, 2, 3));
}

TEST(LowerMatMulAdd, UsesATransposedWeightAsItIs) {
  TestGraph g;
  const ValueId w = g.Floats({3, 2}, {1, 2, 3, 4, 5, 6});
  const Graph graph = Must(LowerMatMulAdd(g.Take({g.Node(MatMul{.transpose_b = true}, {g.Input({1, 2}), w})})));
  EXPECT_THAT(Names(graph), ElementsAre("Linear"));
  EXPECT_EQ(graph.nodes[0].inputs[1], w);
}

TEST(LowerMatMulAdd, LeavesAnAddendOfAnotherShape) {
  for (const Shape& shape : {Shape{1}, Shape{1, 3}, Shape{4, 1, 3}}) {
    TestGraph g;
    const ValueId h = g.Node(Linear{}, {g.Input({1, 2}), g.Filled({3, 2}, 1)});
    const Graph graph = Must(LowerMatMulAdd(g.Take({g.Node(Binary{BinaryKind::kAdd}, {h, g.Filled(shape, 1)})})));
    EXPECT_THAT(Names(graph), ElementsAre("Linear", "Add")) << ShapeString(shape);
  }
}

TEST(LowerMatMulAdd, LeavesALinearThatHasABiasOrAnotherReader) {
  TestGraph with_bias;
  const ValueId b = with_bias.Node(
      Linear{}, {with_bias.Input({1, 2}), with_bias.Filled({3, 2}, 1), with_bias.Filled({3}, 1)});
  const ValueId sum = with_bias.Node(Binary{BinaryKind::kAdd}, {b, with_bias.Filled({3}, 1)});
  EXPECT_EQ(Names(Must(LowerMatMulAdd(with_bias.Take({sum})))).size(), 2u);

  TestGraph read_twice;
  const ValueId h = read_twice.Node(Linear{}, {read_twice.Input({1, 2}), read_twice.Filled({3, 2}, 1)});
  const ValueId y = read_twice.Node(Binary{BinaryKind::kAdd}, {h, read_twice.Filled({3}, 1)});
  EXPECT_EQ(Names(Must(LowerMatMulAdd(read_twice.Take({y, h})))).size(), 2u);
}

TEST(LowerMatMulAdd, LeavesAProductOfTwoComputedValues) {
  TestGraph g;
  const ValueId x = g.Input({2, 2});
  EXPECT_THAT(Names(Must(LowerMatMulAdd(g.Take({g.Node(MatMul{}, {x, x})})))), ElementsAre("MatMul"));
}

}  // namespace
}  // namespace soter
