#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

using ::testing::ElementsAre;

constexpr Binary kMul{BinaryKind::kMul}, kAdd{BinaryKind::kAdd}, kDiv{BinaryKind::kDiv}, kPow{BinaryKind::kPow};

// 1 + erf(x / divisor)
ValueId ErfGate(TestGraph& g, ValueId x, float divisor = 1.41421354f) {
  const ValueId erf = g.Node(Unary{UnaryKind::kErf}, {g.Node(kDiv, {x, g.Scalar(divisor)})});
  return g.Node(kAdd, {erf, g.Scalar(1)});
}

// 1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)), the cube as a power or as products
ValueId TanhGate(TestGraph& g, ValueId x, bool by_products) {
  const ValueId cube = by_products ? g.Node(kMul, {x, g.Node(kMul, {x, x})}) : g.Node(kPow, {x, g.Scalar(3)});
  const ValueId sum = g.Node(kAdd, {x, g.Node(kMul, {g.Scalar(0.044715f), cube})});
  const ValueId inner = g.Node(kMul, {sum, g.Scalar(0.7978845834732056f)});
  return g.Node(kAdd, {g.Scalar(1), g.Node(Unary{UnaryKind::kTanh}, {inner})});
}

void ExpectGelu(Graph graph, ValueId x, UnaryKind kind) {
  graph = RecogniseGelu(std::move(graph));
  ASSERT_EQ(Names(graph).size(), 1u);
  EXPECT_EQ(std::get<Unary>(graph.nodes[0].op).kind, kind);
  EXPECT_THAT(graph.nodes[0].inputs, ElementsAre(x));
}

TEST(RecogniseGelu, ErfFormInEveryGrouping) {
  TestGraph a, b, c;
  ValueId x = a.Input({4});  // (x gate) 0.5
  ExpectGelu(a.Take({a.Node(kMul, {a.Node(kMul, {x, ErfGate(a, x)}), a.Scalar(0.5f)})}), x, UnaryKind::kGeluErf);
  x = b.Input({4});  // (0.5 x) gate
  ExpectGelu(b.Take({b.Node(kMul, {b.Node(kMul, {b.Scalar(0.5f), x}), ErfGate(b, x)})}), x, UnaryKind::kGeluErf);
  x = c.Input({4});  // x (gate / 2)
  ExpectGelu(c.Take({c.Node(kMul, {x, c.Node(kDiv, {ErfGate(c, x), c.Scalar(2)})})}), x, UnaryKind::kGeluErf);
}

TEST(RecogniseGelu, TanhForm) {
  for (bool by_products : {false, true}) {
    TestGraph g;
    const ValueId x = g.Input({4});
    const ValueId y = g.Node(kMul, {g.Node(kMul, {g.Scalar(0.5f), x}), TanhGate(g, x, by_products)});
    ExpectGelu(g.Take({y}), x, UnaryKind::kGeluTanh);
  }
}

TEST(RecogniseGelu, OfAProduct) {
  TestGraph g;
  const ValueId a = g.Input({4}, "a"), b = g.Input({4}, "b"), x = g.Node(kMul, {a, b});
  const ValueId y = g.Node(kMul, {g.Node(kMul, {x, ErfGate(g, x)}), g.Scalar(0.5f)});
  EXPECT_THAT(Names(RecogniseGelu(g.Take({y}))).size(), 2u);
}

TEST(RecogniseGelu, NotWithOtherConstantsOrAnotherFactor) {
  TestGraph a, b, c;
  ValueId x = a.Input({4});
  const ValueId other_half = a.Node(kMul, {a.Node(kMul, {x, ErfGate(a, x)}), a.Scalar(0.6f)});
  EXPECT_GT(Names(RecogniseGelu(a.Take({other_half}))).size(), 1u);
  x = b.Input({4});
  const ValueId other_root = b.Node(kMul, {b.Node(kMul, {x, ErfGate(b, x, 1.5f)}), b.Scalar(0.5f)});
  EXPECT_GT(Names(RecogniseGelu(b.Take({other_root}))).size(), 1u);
  x = c.Input({4});
  const ValueId other_x = c.Node(kMul, {c.Node(kMul, {c.Input({4}, "z"), ErfGate(c, x)}), c.Scalar(0.5f)});
  EXPECT_GT(Names(RecogniseGelu(c.Take({other_x}))).size(), 1u);
}

}  // namespace
}  // namespace soter
