#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

class FusePadTest : public ::testing::Test {
 protected:
  // x padded by {0, 0, 1, 2} before and {0, 0, 3, 4} behind, then `op`.
  Graph Fused(Op op, PadMode mode = PadMode::kConstant, float value = 0) {
    TestGraph g;
    const ValueId x = g.Input({1, 1, 8, 8});
    const ValueId padded = g.Node(Pad{mode}, {x, g.Int64s({0, 0, 1, 2, 0, 0, 3, 4}), g.Scalar(value)});
    std::vector<ValueId> operands = {padded};
    if (std::holds_alternative<Conv>(op)) operands.push_back(g.Filled({1, 1, 5, 5}, 1));
    return FusePad(g.Take({g.Node(std::move(op), operands)}));
  }
};

TEST_F(FusePadTest, IntoConv) {
  const Graph graph = Fused(Conv{WindowOf({5, 5}, 1)});
  EXPECT_THAT(Names(graph), ElementsAre("Conv"));
  EXPECT_THAT(std::get<Conv>(graph.nodes[0].op).window.pads_begin, ElementsAre(2, 3));
  EXPECT_THAT(std::get<Conv>(graph.nodes[0].op).window.pads_end, ElementsAre(4, 5));
}

TEST_F(FusePadTest, IntoAverageThatThenCountsThePads) {
  const Graph graph = Fused(Pool{PoolKind::kAverage, WindowOf({5, 5})});
  EXPECT_THAT(Names(graph), ElementsAre("AveragePool"));
  EXPECT_TRUE(std::get<Pool>(graph.nodes[0].op).count_include_pad);
}

TEST_F(FusePadTest, NotWhereItWouldChangeTheResult) {
  Conv same{WindowOf({5, 5})};
  same.window.auto_pad = AutoPad::kSameUpper;
  EXPECT_EQ(Names(Fused(same)).size(), 2u);
  EXPECT_EQ(Names(Fused(Conv{WindowOf({5, 5})}, PadMode::kReflect)).size(), 2u);
  EXPECT_EQ(Names(Fused(Conv{WindowOf({5, 5})}, PadMode::kConstant, 1)).size(), 2u);
  EXPECT_EQ(Names(Fused(Pool{PoolKind::kMax, WindowOf({5, 5})})).size(), 2u);
  EXPECT_EQ(Names(Fused(Pool{PoolKind::kAverage, WindowOf({5, 5}, 1)})).size(), 2u);
  EXPECT_EQ(Names(Fused(Pool{PoolKind::kAverage, WindowOf({2, 2})})).size(), 2u);
}

TEST(FusePad, NotAcrossChannels) {
  TestGraph g;
  const ValueId padded = g.Node(Pad{}, {g.Input({1, 1, 8, 8}), g.Int64s({0, 1, 0, 0, 0, 0, 0, 0})});
  const ValueId y = g.Node(Conv{WindowOf({3, 3})}, {padded, g.Filled({1, 2, 3, 3}, 1)});
  EXPECT_THAT(Names(FusePad(g.Take({y}))), ElementsAre("Pad", "Conv"));
}

}  // namespace
}  // namespace soter
