#include <algorithm>
#include <cmath>

#include "common/compute/program.h"
#include "common/graph/bind.h"
#include "owner/passes/pass_testing.h"

namespace soter {
namespace {

const Shape kSequence = {2, 5, 3, 4};  // batch, length, heads, width of a head

// Parts writes attention over q, k and v of shape kSequence in one exporter's way.
struct Parts : TestGraph {
  ValueId q = Input(kSequence, "q"), k = Input(kSequence, "k"), v = Input(kSequence, "v");
  ValueId Heads(ValueId value) { return Node(Transpose{{0, 2, 1, 3}}, {value}); }
  ValueId Swapped(ValueId value) { return Node(Transpose{{0, 1, 3, 2}}, {value}); }
  ValueId KeysAtOnce() { return Node(Transpose{{0, 2, 3, 1}}, {k}); }
  ValueId Times(ValueId value, float factor) { return Node(Binary{BinaryKind::kMul}, {value, Scalar(factor)}); }
  ValueId Over(ValueId value, float divisor) { return Node(Binary{BinaryKind::kDiv}, {value, Scalar(divisor)}); }
  ValueId Product(ValueId a, ValueId b) { return Node(MatMul{}, {a, b}); }
  Graph Finish(ValueId scores, Softmax softmax = {}) {
    return Take({Product(Node(softmax, {scores}), Heads(v))});
  }
};

// The scaled product of a graph that has gone through the pass; fails when it has none.
MatMul FirstProduct(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (const MatMul* op = std::get_if<MatMul>(&node.op)) return *op;
  }
  ADD_FAILURE() << "no product";
  return {};
}

size_t Count(const Graph& graph, const std::string& name) {
  std::vector<std::string> names = Names(graph);
  return static_cast<size_t>(std::count(names.begin(), names.end(), name));
}

std::vector<float> Run(const Graph& graph) {
  const ValidatedGraph valid = ValidatedGraph::Validate(graph).value();
  const std::vector<Shape> shapes = DefaultShapes(valid.graph(), 2);
  const StaticGraph bound = Bind(valid, shapes).value();
  auto source = [](const Initializer& i) -> Result<std::shared_ptr<const Tensor>> { return i.data; };
  Program program = Program::Compile(bound, source, {}).value();
  std::vector<Tensor> inputs;
  std::vector<const std::byte*> in;
  float seed = 0.3f;
  for (const Shape& shape : shapes) {
    inputs.push_back(Tensor::Allocate({DType::kFloat32, shape}).value());
    for (float& x : inputs.back().MutableAs<float>()) x = std::sin(seed += 0.7f);
    in.push_back(inputs.back().bytes().data());
  }
  Tensor y = Tensor::Allocate(bound.type(bound.graph().outputs[0])).value();
  std::byte* out[] = {y.mutable_bytes().data()};
  EXPECT_TRUE(program.Run(in, out).ok());
  return {y.As<float>().begin(), y.As<float>().end()};
}

// Runs the pass, checks that the result is the same and that what is left is one scaled product of q and k.
void ExpectRecognised(const Graph& before, float alpha, size_t transposes) {
  const Graph after = RecogniseAttention(before);
  const MatMul product = FirstProduct(after);
  EXPECT_FLOAT_EQ(product.alpha, alpha);
  EXPECT_TRUE(product.transpose_b);
  EXPECT_FALSE(product.transpose_a);
  EXPECT_EQ(Count(after, "Transpose"), transposes);
  EXPECT_THAT(Run(after), ::testing::Pointwise(::testing::FloatNear(1e-6f), Run(before)));
}

TEST(RecogniseAttention, DivisionBehindTheProductAndKeysTransposedAtOnce) {
  Parts g;
  ExpectRecognised(g.Finish(g.Over(g.Product(g.Heads(g.q), g.KeysAtOnce()), 2.0f)), 0.5f, 3);
}

TEST(RecogniseAttention, ProductBehindTheProductAndKeysTransposedTwice) {
  Parts g;
  ExpectRecognised(g.Finish(g.Times(g.Product(g.Heads(g.q), g.Swapped(g.Heads(g.k))), 0.5f)), 0.5f, 3);
}

TEST(RecogniseAttention, ScaleOnTheQueries) {
  Parts g;
  ExpectRecognised(g.Finish(g.Product(g.Times(g.Heads(g.q), 0.5f), g.Swapped(g.Heads(g.k)))), 0.5f, 3);
}

TEST(RecogniseAttention, RootOfTheScaleOnQueriesAndKeys) {
  Parts g;
  ValueId queries = g.Times(g.Heads(g.q), 0.7f), keys = g.Times(g.Swapped(g.Heads(g.k)), 0.7f);
  ExpectRecognised(g.Finish(g.Product(queries, keys)), 0.7f * 0.7f, 3);
}

TEST(RecogniseAttention, AnAddedMaskAndASecondOne) {
  Parts g;
  ValueId scores = g.Over(g.Product(g.Heads(g.q), g.KeysAtOnce()), 2.0f);
  ValueId causal = g.Node(Binary{BinaryKind::kAdd}, {g.Filled({5, 5}, -0.25f), scores});
  ExpectRecognised(g.Finish(g.Node(Binary{BinaryKind::kAdd}, {causal, g.Filled({2, 1, 1, 5}, -1)})), 0.5f, 3);
}

TEST(RecogniseAttention, AMaskThatSelects) {
  Parts g;
  ValueId scores = g.Over(g.Product(g.Heads(g.q), g.KeysAtOnce()), 2.0f);
  ValueId keep = g.Node(Binary{BinaryKind::kLess}, {scores, g.Scalar(0.4f)});
  ExpectRecognised(g.Finish(g.Node(Where{}, {keep, scores, g.Scalar(-1e9f)})), 0.5f, 3);
}

TEST(RecogniseAttention, WithoutAScale) {
  Parts g;
  ExpectRecognised(g.Finish(g.Product(g.Heads(g.q), g.Swapped(g.Heads(g.k)))), 1.0f, 3);
}

TEST(RecogniseAttention, HeadsThatShareKeys) {
  Parts g;
  ValueId shared = g.Input({2, 1, 5, 4}, "shared");
  ExpectRecognised(g.Finish(g.Over(g.Product(g.Heads(g.q), g.Swapped(shared)), 2.0f)), 0.5f, 2);
}

TEST(RecogniseAttention, KeysThatAreReadElsewhereStayAsTheyAre) {
  Parts g;
  ValueId keys = g.KeysAtOnce();
  ValueId y = g.Product(g.Node(Softmax{}, {g.Over(g.Product(g.Heads(g.q), keys), 2.0f)}), g.Heads(g.v));
  const Graph after = RecogniseAttention(g.Take({y, keys}));
  EXPECT_FLOAT_EQ(FirstProduct(after).alpha, 0.5f);
  EXPECT_FALSE(FirstProduct(after).transpose_b);
}

TEST(RecogniseAttention, ScoresThatAreReadElsewhereStay) {
  Parts g;
  ValueId product = g.Product(g.Heads(g.q), g.KeysAtOnce());
  ValueId y = g.Product(g.Node(Softmax{}, {g.Over(product, 2.0f)}), g.Heads(g.v));
  EXPECT_FLOAT_EQ(FirstProduct(RecogniseAttention(g.Take({y, product}))).alpha, 1.0f);
}

TEST(RecogniseAttention, NotASoftmaxOverAnotherAxisOrItsLogarithm) {
  for (Softmax softmax : {Softmax{.axis = 1}, Softmax{.axis = -1, .log = true}, Softmax{.axis = 1, .flatten = true}}) {
    Parts g;
    const Graph after = RecogniseAttention(g.Finish(g.Over(g.Product(g.Heads(g.q), g.KeysAtOnce()), 2.0f), softmax));
    EXPECT_FLOAT_EQ(FirstProduct(after).alpha, 1.0f);
    EXPECT_EQ(Count(after, "Div"), 1u);
  }
}

TEST(RecogniseAttention, NotAScaleOfSeveralElementsOrOneThatAddsAnAxisOrIsZero) {
  for (int kind : {0, 1, 2}) {
    Parts g;
    ValueId scale = kind == 0 ? g.Filled({5}, 0.5f) : kind == 1 ? g.Filled({1, 1, 1, 1, 1}, 0.5f) : g.Scalar(0.0f);
    ValueId scores = g.Node(Binary{BinaryKind::kMul}, {g.Product(g.Heads(g.q), g.KeysAtOnce()), scale});
    EXPECT_FLOAT_EQ(FirstProduct(RecogniseAttention(g.Finish(scores))).alpha, 1.0f) << kind;
  }
}

TEST(RecogniseAttention, AProductWithoutSoftmaxStays) {
  Parts g;
  ValueId y = g.Product(g.Over(g.Product(g.Heads(g.q), g.KeysAtOnce()), 2.0f), g.Heads(g.v));
  EXPECT_EQ(Count(RecogniseAttention(g.Take({y})), "Div"), 1u);
}

}  // namespace
}  // namespace soter
