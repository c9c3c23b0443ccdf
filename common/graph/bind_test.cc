#include "common/graph/bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/graph/testing/graph_builder.h"
#include "common/graph/testing/graph_samples.h"

namespace soter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Window Square(int64_t kernel, int64_t stride = 1, int64_t pad = 0) {
  return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
}

std::vector<int64_t> ConstantIntegers(const StaticGraph& graph, ValueId value) {
  const Tensor* constant = graph.constant(value);
  if (constant == nullptr) return {-999};
  std::span<const int64_t> values = constant->As<int64_t>();
  return {values.begin(), values.end()};
}

TEST(Bind, FixesSymbolsAndInfersTypes) {
  GraphBuilder b;
  Dim batch = b.Symbol("batch");
  ValueId x = b.Input("x", {batch, Dim::Constant(3), Dim::Constant(8), Dim::Constant(8)});
  ValueId y = b.Add(Conv{.window = Square(3, 1, 1)}, {x, b.Weight({4, 3, 3, 3}), b.Weight({4})});
  b.Output(y);
  StaticGraph graph = b.Bind({{5, 3, 8, 8}}).value();
  EXPECT_EQ(graph.type(y), (TensorType{DType::kFloat32, {5, 4, 8, 8}}));
  EXPECT_TRUE(graph.graph().symbols.empty());
  EXPECT_EQ(graph.graph().inputs[0].shape[0], Dim::Constant(5));
}

TEST(Bind, OneSymbolHasOneExtent) {
  GraphBuilder b;
  Dim batch = b.Symbol("batch");
  ValueId left = b.Input("left", {batch}), right = b.Input("right", {batch});
  b.Output(b.Add(Binary{}, {left, right}));
  Error error = b.Bind({{2}, {3}}).error();
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("input 'right' (float32[batch])"));
  EXPECT_THAT(error.message, HasSubstr("batch is already 2 by input 'left'"));
}

TEST(Bind, ShapesThatTheInputsDoNotAccept) {
  GraphBuilder b;
  b.Output(b.Add(Unary{}, {b.Input("x", {b.Symbol("batch"), Dim::Constant(4)})}));
  for (const std::vector<Shape>& shapes : std::vector<std::vector<Shape>>{
           {}, {{1, 4}, {1, 4}}, {{4}}, {{1, 5}}, {{-1, 4}}, {{INT64_MAX, 4}}}) {
    EXPECT_EQ(b.Bind(shapes).error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(b.Bind({{1, 5}}).error().message, HasSubstr("axis 1 must be 4"));
}

TEST(Bind, ErrorsNameTheNode) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{2, 3});
  b.Output(b.Add(Binary{}, {x, b.Input("z", Shape{2, 4})}));
  Error error = b.Bind({{2, 3}, {2, 4}}).error();
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, HasSubstr("node 'n0' (Add)"));
}

// x.reshape(shape(x)[0], -1), as PyTorch exports view().
TEST(Bind, EvaluatesShapeArithmetic) {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("batch"), Dim::Constant(3), Dim::Constant(4)});
  ValueId first = b.Add(Gather{.axis = 0}, {b.Add(ShapeOf{}, {x}), b.Scalar(0)});
  ValueId shape = b.Add(Concat{}, {b.Add(Unsqueeze{}, {first, b.Integers({0})}), b.Integers({-1})});
  ValueId y = b.Add(Reshape{}, {x, shape});
  b.Output(y);
  StaticGraph graph = b.Bind({{7, 3, 4}}).value();
  EXPECT_EQ(graph.type(y).shape, (Shape{7, 12}));
  ASSERT_EQ(graph.graph().nodes.size(), 1u);
  EXPECT_THAT(ConstantIntegers(graph, graph.graph().nodes[0].inputs[1]), ElementsAre(7, 12));
  EXPECT_EQ(graph.graph().initializers.size(), 1u) << "what only the folded nodes used is gone";
}

TEST(Bind, FlattenSqueezeAndUnsqueezeBecomeReshapes) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{2, 1, 3});
  ValueId flat = b.Add(Flatten{.axis = 1}, {x});
  ValueId squeezed = b.Add(Squeeze{}, {x, b.Integers({1})});
  ValueId wider = b.Add(Unsqueeze{}, {squeezed, b.Integers({-1})});
  b.Output(flat, "flat");
  b.Output(wider, "wider");
  size_t value_count = b.graph().value_names.size();
  StaticGraph graph = b.Bind({{2, 1, 3}}).value();
  EXPECT_EQ(graph.type(flat).shape, (Shape{2, 3}));
  EXPECT_EQ(graph.type(wider).shape, (Shape{2, 3, 1}));
  ASSERT_EQ(graph.graph().nodes.size(), 3u);
  for (const Node& node : graph.graph().nodes) {
    EXPECT_STREQ(OpName(node.op), "Reshape");
    EXPECT_GE(node.inputs[1], value_count) << "new values stand behind the old ones";
    EXPECT_EQ(ConstantIntegers(graph, node.inputs[1]), graph.type(node.outputs[0]).shape);
  }
}

TEST(Bind, BindingAgainChangesNothing) {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("n"), Dim::Constant(2), Dim::Constant(5)});
  ValueId pooled = b.Add(Pool{.window = {{2}, {2}, {1}, {0}, {0}, AutoPad::kSameUpper}}, {x});
  b.Output(b.Add(Flatten{}, {pooled}));
  StaticGraph once = b.Bind({{3, 2, 5}}).value();
  ValidatedGraph again = ValidatedGraph::Validate(once.graph()).value();
  StaticGraph twice = Bind(again, std::vector<Shape>{{3, 2, 5}}).value();
  ASSERT_EQ(twice.graph().nodes.size(), once.graph().nodes.size());
  for (size_t i = 0; i < once.graph().nodes.size(); ++i) {
    EXPECT_EQ(twice.graph().nodes[i].op, once.graph().nodes[i].op);
    EXPECT_EQ(twice.graph().nodes[i].inputs, once.graph().nodes[i].inputs);
  }
  EXPECT_EQ(twice.graph().value_names, once.graph().value_names);
}

TEST(Bind, DropsNodesAndInitializersThatNothingNeeds) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{1, 4});
  b.Add(Linear{}, {x, b.Weight({8, 4})});
  b.Output(b.Add(Unary{}, {x}));
  StaticGraph graph = b.Bind({{1, 4}}).value();
  EXPECT_EQ(graph.graph().nodes.size(), 1u);
  EXPECT_TRUE(graph.graph().initializers.empty());
}

TEST(Bind, SamePadsBecomeExplicit) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{1, 1, 5, 5});
  Window upper = Square(2), lower = Square(2);
  upper.auto_pad = AutoPad::kSameUpper;
  lower.auto_pad = AutoPad::kSameLower;
  b.Output(b.Add(Conv{.window = upper}, {x, b.Weight({1, 1, 2, 2})}), "upper");
  b.Output(b.Add(Pool{.window = lower, .ceil_mode = true}, {x}), "lower");
  StaticGraph graph = b.Bind({{1, 1, 5, 5}}).value();
  const Window& conv = std::get<Conv>(graph.graph().nodes[0].op).window;
  EXPECT_EQ(conv, (Window{{2, 2}, {1, 1}, {1, 1}, {0, 0}, {1, 1}}));
  const Pool& pool = std::get<Pool>(graph.graph().nodes[1].op);
  EXPECT_EQ(pool.window, (Window{{2, 2}, {1, 1}, {1, 1}, {1, 1}, {0, 0}}));
  EXPECT_FALSE(pool.ceil_mode);
}

TEST(Bind, TransposedOutputShapeBecomesPads) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{1, 1, 3});
  ConvTranspose op{.window = {{4}, {2}, {1}, {0}, {0}}, .output_padding = {0}, .output_shape = {5}};
  ValueId y = b.Add(op, {x, b.Weight({1, 2, 4})});
  b.Output(y);
  StaticGraph graph = b.Bind({{1, 1, 3}}).value();
  const ConvTranspose& bound = std::get<ConvTranspose>(graph.graph().nodes[0].op);
  EXPECT_EQ(graph.type(y).shape, (Shape{1, 2, 5}));
  EXPECT_TRUE(bound.output_shape.empty());
  EXPECT_THAT(bound.window.pads_begin, ElementsAre(2));  // of 3, the larger half in front
  EXPECT_THAT(bound.window.pads_end, ElementsAre(1));
}

TEST(Bind, AConstantOutputIsAnInitializer) {
  GraphBuilder b;
  ValueId shape = b.Add(ShapeOf{}, {b.Input("x", {b.Symbol("n"), Dim::Constant(2)})});
  b.Output(shape);
  StaticGraph graph = b.Bind({{9, 2}}).value();
  EXPECT_TRUE(graph.graph().nodes.empty());
  EXPECT_THAT(ConstantIntegers(graph, shape), ElementsAre(9, 2));
}

TEST(Bind, AShapeThatDependsOnDataIsUnsupported) {
  GraphBuilder b;
  ValueId shape = b.Input("shape", Shape{2}, DType::kInt64);
  b.Output(b.Add(Reshape{}, {b.Input("x", Shape{4}), shape}));
  EXPECT_EQ(b.Bind({{2}, {4}}).error().code, ErrorCode::kUnsupported);
}

TEST(Bind, HugeRangeIsExhausted) {
  GraphBuilder b;
  b.Output(b.Add(Range{}, {b.Scalar(0), b.Scalar(int64_t{1} << 60), b.Scalar(1)}));
  EXPECT_EQ(b.Bind({}).error().code, ErrorCode::kExhausted);
}

TEST(Bind, ManyFoldedNodesStopAtABudget) {
  GraphBuilder b;
  ValueId one = b.Constant(Tensor::FromValues<float>({}, {1.0f}));
  ValueId x = b.Add(Expand{}, {one, b.Integers({1 << 16})});
  for (int i = 0; i < 400; ++i) x = b.Add(Unary{.kind = UnaryKind::kNeg}, {x});
  b.Output(x);
  StaticGraph graph = b.Bind({}).value();
  EXPECT_GT(graph.graph().nodes.size(), 200u);
  EXPECT_LT(graph.graph().nodes.size(), 400u);
}

TEST(Bind, ARangeBeyondTheBudgetIsExhausted) {
  GraphBuilder b;
  ValueId x = b.Add(Expand{}, {b.Scalar(1), b.Integers({1 << 16})});
  for (int i = 0; i < 200; ++i) x = b.Add(Unary{.kind = UnaryKind::kNeg}, {x});
  b.Output(x);
  b.Output(b.Add(Range{}, {b.Scalar(0), b.Scalar(1 << 16), b.Scalar(1)}), "range");
  Error error = b.Bind({}).error();
  EXPECT_EQ(error.code, ErrorCode::kExhausted);
  EXPECT_THAT(error.message, HasSubstr("too much on constants"));
}

TEST(Bind, NoRoomForAnotherValueIsExhausted) {
  GraphBuilder b;
  b.Output(b.Add(Flatten{}, {b.Input("x", Shape{2, 3})}));
  b.graph().value_names.resize(size_t{1} << 20);
  EXPECT_EQ(b.Bind({{2, 3}}).error().code, ErrorCode::kExhausted);
}

TEST(Bind, TileAndExpandExplosionsAreRefused) {
  GraphBuilder b;
  ValueId x = b.Input("x", Shape{2});
  b.Output(b.Add(Tile{}, {x, b.Integers({int64_t{1} << 62})}));
  EXPECT_EQ(b.Bind({{2}}).error().code, ErrorCode::kMalformed);
  GraphBuilder c;
  ValueId z = c.Input("z", Shape{1});
  c.Output(c.Add(Expand{}, {z, c.Integers({int64_t{1} << 40, int64_t{1} << 40})}));
  EXPECT_EQ(c.Bind({{1}}).error().code, ErrorCode::kMalformed);
}

TEST(Bind, EveryOperatorOfTheSamplesHasTypes) {
  std::set<size_t> operators;
  for (const Graph& sample : SampleGraphs()) {
    ValidatedGraph graph = ValidatedGraph::Validate(sample).value();
    for (const Node& node : sample.nodes) operators.insert(node.op.index());
    for (int64_t extent = 1; extent <= 3; ++extent) {
      Result<StaticGraph> bound = Bind(graph, DefaultShapes(sample, extent));
      EXPECT_TRUE(bound.ok()) << bound.error().message;
    }
  }
  EXPECT_EQ(operators.size(), std::variant_size_v<Op>);
}

TEST(DefaultShapes, TakesBindingsFirst) {
  GraphBuilder b;
  b.Input("x", {b.Symbol("n"), b.Symbol("s"), Dim::Constant(7)});
  std::vector<std::pair<std::string, int64_t>> bindings = {{"s", 12}};
  EXPECT_THAT(DefaultShapes(b.graph(), 3, bindings), ElementsAre(Shape{3, 12, 7}));
}

}  // namespace
}  // namespace soter
