#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

TEST(RemoveDeadCode, DropsWhatNoOutputNeeds) {
  TestGraph g;
  const ValueId x = g.Input({2}), used = g.Scalar(1), unused = g.Scalar(2);
  const ValueId y = g.Node(Binary{BinaryKind::kAdd}, {x, used});
  g.Node(Binary{BinaryKind::kMul}, {g.Node(Unary{UnaryKind::kExp}, {x}), unused});
  const Graph graph = RemoveDeadCode(g.Take({y}));
  EXPECT_THAT(Names(graph), ElementsAre("Add"));
  ASSERT_EQ(graph.initializers.size(), 1u);
  EXPECT_EQ(graph.initializers[0].value, used);
}

TEST(RemoveDeadCode, KeepsANodeOfWhichOneOutputIsNeeded) {
  GraphWriter b;
  const ValueId x = b.AddInput("x", DType::kFloat32, {Dim::Constant(4)});
  const std::vector<ValueId> parts = b.EmitMany("split", Split{}, {x}, 2);
  b.SetName(parts[1], "y");
  b.AddOutput(parts[1]);
  EXPECT_EQ(RemoveDeadCode(std::move(b).Take()).nodes.size(), 1u);
}

}  // namespace
}  // namespace soter
