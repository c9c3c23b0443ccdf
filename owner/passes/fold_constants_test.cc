#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

TEST(FoldConstants, FollowsChains) {
  TestGraph g;
  const ValueId x = g.Input({2, 2});
  const ValueId same = g.Node(Unary{UnaryKind::kIdentity}, {g.Floats({2, 2}, {1, 2, 3, 4})});
  const ValueId w = g.Node(Transpose{{1, 0}}, {same});
  const ValueId scaled = g.Node(Binary{BinaryKind::kMul}, {w, g.Scalar(2)});
  const Graph graph = Must(FoldConstants(g.Take({g.Node(Binary{BinaryKind::kAdd}, {x, scaled})})));
  EXPECT_THAT(Names(graph), ElementsAre("Add"));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(2, 6, 4, 8));
  EXPECT_EQ(graph.initializers.size(), 1u);
}

TEST(FoldConstants, TransposesLargeMatricesOfOddExtents) {
  constexpr int64_t kRows = 67, kColumns = 45;
  std::vector<float> values(kRows * kColumns);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  TestGraph g;
  const ValueId w = g.Node(Transpose{}, {g.Floats({kRows, kColumns}, values)});
  const ValueId y = g.Node(Binary{BinaryKind::kAdd}, {g.Input({kColumns, kRows}), w});
  const Graph graph = Must(FoldConstants(g.Take({y})));
  const std::vector<float> folded = FloatsOf(graph, graph.nodes[0].inputs[1]);
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t c = 0; c < kColumns; ++c) ASSERT_EQ(folded[c * kRows + r], values[r * kColumns + c]);
  }
}

TEST(FoldConstants, LeavesAnExpansionThatWouldFillMemory) {
  TestGraph g;
  const ValueId wide = g.Node(Expand{}, {g.Scalar(1), g.Int64s({1 << 20, 1 << 10})});
  const Graph graph = Must(FoldConstants(g.Take({g.Node(Binary{BinaryKind::kAdd}, {g.Input({1}), wide})})));
  EXPECT_THAT(Names(graph), ElementsAre("Expand", "Add"));
}

TEST(FoldConstants, NamesTheNodeWhoseConstantsDoNotFit) {
  TestGraph g;
  const ValueId bad = g.Node(Binary{BinaryKind::kAdd}, {g.Filled({2}, 1), g.Filled({3}, 1)});
  const Result<Graph> graph = FoldConstants(g.Take({g.Node(Binary{BinaryKind::kAdd}, {g.Input({6}), bad})}));
  ASSERT_FALSE(graph.ok());
  EXPECT_EQ(graph.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(graph.error().message, testing::HasSubstr("'n1'"));
}

}  // namespace
}  // namespace soter
