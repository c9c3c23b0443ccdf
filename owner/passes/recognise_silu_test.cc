#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

Graph Gated(Unary gate, bool of_itself = true) {
  TestGraph g;
  const ValueId x = g.Input({4}), z = of_itself ? x : g.Input({4}, "z");
  return RecogniseSilu(g.Take({g.Node(Binary{BinaryKind::kMul}, {g.Node(gate, {z}), x})}));
}

TEST(RecogniseSilu, SigmoidGate) {
  const Graph graph = Gated(Unary{UnaryKind::kSigmoid});
  ASSERT_EQ(Names(graph).size(), 1u);
  EXPECT_EQ(std::get<Unary>(graph.nodes[0].op).kind, UnaryKind::kSilu);
}

TEST(RecogniseSilu, HardSigmoidGate) {
  const Graph graph = Gated(Unary{UnaryKind::kHardSigmoid, 1.0f / 6, 0.5f});
  ASSERT_EQ(Names(graph).size(), 1u);
  EXPECT_EQ(std::get<Unary>(graph.nodes[0].op).kind, UnaryKind::kHardSwish);
}

TEST(RecogniseSilu, NotOtherGates) {
  EXPECT_EQ(Names(Gated(Unary{UnaryKind::kTanh})).size(), 2u);
  EXPECT_EQ(Names(Gated(Unary{UnaryKind::kHardSigmoid, 0.2f, 0.5f})).size(), 2u);
  EXPECT_EQ(Names(Gated(Unary{UnaryKind::kSigmoid}, /*of_itself=*/false)).size(), 2u);
}

}  // namespace
}  // namespace soter
