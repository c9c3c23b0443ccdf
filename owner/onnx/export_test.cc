#include "owner/onnx/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/graph/bind.h"
#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"
#include "owner/passes/pass_testing.h"
#include "owner/zoo/zoo.h"

namespace soter {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class ExportOnnxTest : public ::testing::Test {
 protected:
  ExportOnnxTest() {
    std::string name = (fs::temp_directory_path() / "soter-export-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~ExportOnnxTest() override { fs::remove_all(directory_); }

  Graph RoundTrip(const Graph& graph) {
    const fs::path path = directory_ / "g.onnx";
    const Status exported = ExportOnnx(graph, nullptr, path);
    EXPECT_TRUE(exported.ok()) << exported.error().message;
    Result<Graph> imported = ImportOnnx(path);
    EXPECT_TRUE(imported.ok()) << imported.error().message;
    if (!imported.ok()) return {};
    return Must(Canonicalise(std::move(*imported)));
  }

  // Exports a graph of one operator; what comes back must be that operator with the same attributes.
  using AddConstants = std::function<void(TestGraph&, std::vector<ValueId>&)>;
  void ExpectSame(Op op, const std::vector<Shape>& inputs, const AddConstants& add_constants = nullptr) {
    TestGraph g;
    std::vector<ValueId> operands;
    for (size_t i = 0; i < inputs.size(); ++i) {
      operands.push_back(g.Input(inputs[i], std::string("x").append(std::to_string(i))));
    }
    if (add_constants) add_constants(g, operands);
    const Graph before = g.Take({g.Node(op, operands)});
    const Graph after = RoundTrip(before);
    ASSERT_THAT(Names(after), ElementsAre(OpName(op)));
    EXPECT_TRUE(after.nodes[0].op == op) << Dump(after);
    ExpectSameTypes(before, after);
  }

  static void ExpectSameTypes(const Graph& a, const Graph& b) {
    const auto type = [](const Graph& graph) {
      const Result<ValidatedGraph> valid = ValidatedGraph::Validate(graph);
      const Result<StaticGraph> bound = Bind(*valid, DefaultShapes(graph, 2));
      EXPECT_TRUE(bound.ok()) << bound.error().message;
      return bound.ok() ? bound->type(bound->graph().outputs[0]) : TensorType{};
    };
    EXPECT_EQ(TypeString(type(a)), TypeString(type(b)));
  }

  fs::path directory_;
};

TEST_F(ExportOnnxTest, OperatorsThatAddressElements) {
  const Shape x = {4, 6};
  ExpectSame(CumSum{true, true}, {x},
             [](TestGraph& g, std::vector<ValueId>& operands) { operands.push_back(g.Int64s({1})); });
  const auto indices = [](TestGraph& g, std::vector<ValueId>& operands) {
    const ValueId flat = g.Int64s({0, 3});
    operands.push_back(g.Node(Unsqueeze{}, {flat, g.Int64s({1})}));
  };
  TestGraph g;
  std::vector<ValueId> operands = {g.Input(x)};
  indices(g, operands);
  const ValueId rows = g.Node(GatherNd{}, operands);
  operands.push_back(rows);
  const ValueId added = g.Node(Scatter{.reduction = ScatterReduction::kAdd}, operands);
  operands[0] = added;
  operands[2] = g.Node(Slice{}, {rows, g.Int64s({0}), g.Int64s({1}), g.Int64s({1})});
  const Graph after = RoundTrip(g.Take({g.Node(Scatter{.axis = 1, .elements = true}, operands)}));
  EXPECT_THAT(Names(after), ElementsAre("GatherNd", "Scatter", "Slice", "Scatter"));
  EXPECT_TRUE(after.nodes[1].op == Op(Scatter{.reduction = ScatterReduction::kAdd})) << Dump(after);
  EXPECT_TRUE(after.nodes[3].op == Op(Scatter{.axis = 1, .elements = true})) << Dump(after);
}

TEST_F(ExportOnnxTest, WhatOpset17CannotSayIsRefused) {
  TestGraph g;
  const ValueId x = g.Input({2, 2, 4}), w = g.Filled({4, 4}, 1);
  std::vector<ValueId> states = g.Nodes(Recurrent{.kind = RecurrentKind::kRnn}, {x, w}, 2);
  const Status status = ExportOnnx(g.Take({states[0]}), nullptr, directory_ / "g.onnx");
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("recurrence"));
}

TEST_F(ExportOnnxTest, OperatorsThatOnnxKnows) {
  const Shape image = {-1, 4, 8, 8}, rows = {-1, 6};
  const auto weights = [](TestGraph& g, std::vector<ValueId>& operands) {
    operands.push_back(g.Filled({4, 2, 3, 3}, 1));
    operands.push_back(g.Filled({4}, 1));
  };
  ExpectSame(Conv{WindowOf({3, 3}, 1), 2}, {image}, weights);
  ExpectSame(ConvTranspose{.window = WindowOf({3, 3}, 1), .output_padding = {0, 0}, .groups = 2}, {image},
             [](TestGraph& g, std::vector<ValueId>& operands) { operands.push_back(g.Filled({4, 2, 3, 3}, 1)); });
  ExpectSame(Linear{}, {rows}, [](TestGraph& g, std::vector<ValueId>& operands) {
    operands.push_back(g.Filled({3, 6}, 1));
    operands.push_back(g.Filled({3}, 1));
  });
  ExpectSame(MatMul{}, {{2, 3}, {3, 4}});
  ExpectSame(ChannelAffine{}, {image}, [](TestGraph& g, std::vector<ValueId>& operands) {
    operands.push_back(g.Floats({4}, {1, 2, 3, 4}));
    operands.push_back(g.Floats({4}, {5, 6, 7, 8}));
  });
  Pool average{PoolKind::kAverage, WindowOf({3, 3}, 1)};
  average.ceil_mode = average.count_include_pad = true;
  ExpectSame(average, {image});
  ExpectSame(Pool{PoolKind::kMax, WindowOf({2, 2})}, {image});
  ExpectSame(Reduce{.kind = ReduceKind::kMean, .spatial = true}, {image});
  for (ReduceKind kind : {ReduceKind::kSum, ReduceKind::kLogSumExp, ReduceKind::kArgMax}) {
    ExpectSame(Reduce{.kind = kind, .keep_dims = false}, {image},
               [](TestGraph& g, std::vector<ValueId>& operands) { operands.push_back(g.Int64s({1})); });
  }
  ExpectSame(Softmax{1, true, false}, {image});
  ExpectSame(GroupNorm{0, 1e-4f}, {image}, [](TestGraph& g, std::vector<ValueId>& operands) {
    operands.push_back(g.Filled({4}, 1));
    operands.push_back(g.Filled({4}, 1));
  });
  ExpectSame(Lrn{3, 1e-3f, 0.5f, 2.0f}, {image});
  ExpectSame(Transpose{{0, 2, 1, 3}}, {image});
  ExpectSame(Flatten{2}, {image});
  ExpectSame(Concat{1}, {image, image});
  ExpectSame(DepthToSpace{2, true, false}, {image});
  ExpectSame(DepthToSpace{2, false, true}, {image});
  ExpectSame(Cast{DType::kInt32}, {rows});
  ExpectSame(ShapeOf{1, 3}, {image});
  ExpectSame(Trilu{false}, {rows});
  ExpectSame(Resize{.mode = ResizeMode::kLinear, .coordinates = ResizeCoordinates::kAlignCorners}, {image},
             [](TestGraph& g, std::vector<ValueId>& operands) { operands.push_back(g.Floats({4}, {1, 1, 2, 2})); });
  ExpectSame(Pad{PadMode::kReflect}, {image}, [](TestGraph& g, std::vector<ValueId>& operands) {
    operands.push_back(g.Int64s({0, 0, 1, 1, 0, 0, 1, 1}));
  });
  for (const Shape& shape : {Shape{3}, Shape{4, 6}}) {
    ExpectSame(Expand{}, {{1}},
               [&](TestGraph& g, std::vector<ValueId>& operands) { operands.push_back(g.Int64s(shape)); });
  }
}

TEST_F(ExportOnnxTest, EveryUnaryComesBack) {
  for (int kind = 0; kind <= static_cast<int>(UnaryKind::kLast); ++kind) {
    Unary unary{static_cast<UnaryKind>(kind), 0.25f, 0.75f};
    if (unary.kind == UnaryKind::kNot || unary.kind == UnaryKind::kMish || unary.kind == UnaryKind::kIsInf) continue;
    TestGraph g;
    const Graph before = g.Take({g.Node(unary, {g.Input({4})})});
    const Graph after = RoundTrip(before);
    ASSERT_THAT(Names(after), ElementsAre(OpName(Op(unary))));
  }
}

TEST_F(ExportOnnxTest, FusedPartsBecomeNodes) {
  TestGraph g;
  const ValueId x = g.Input({1, 2, 4, 4});
  const Conv conv{.window = WindowOf({1, 1}), .activation = Activation::kRelu};
  const ValueId y = g.Node(conv, {x, g.Filled({2, 2, 1, 1}, 1), g.Filled({2}, 1), x});
  EXPECT_THAT(Names(RoundTrip(g.Take({y}))), ElementsAre("Conv", "Add", "Relu"));
}

TEST_F(ExportOnnxTest, NormsInPartsAreRecognisedAgain) {
  for (bool rms : {false, true}) {
    for (size_t parameters : {0, 1, 2}) {
      TestGraph g;
      std::vector<ValueId> operands = {g.Input({2, 4})};
      for (size_t i = 0; i < parameters; ++i) operands.push_back(g.Filled({4}, 2));
      const LayerNorm norm{-1, 1e-3f, rms};
      const Graph after = RoundTrip(g.Take({g.Node(norm, operands)}));
      ASSERT_THAT(Names(after), ElementsAre("LayerNorm"));
      EXPECT_EQ(std::get<LayerNorm>(after.nodes[0].op), norm);
      EXPECT_EQ(after.nodes[0].inputs.size(), parameters + 1);
    }
  }
}

TEST_F(ExportOnnxTest, TransposedProductsKeepTheirShape) {
  TestGraph g;
  const ValueId a = g.Input({2, 5, 3}, "a"), b = g.Input({2, 4, 5}, "b");
  const Graph before = g.Take({g.Node(MatMul{true, true, 0.5f}, {a, b})});
  ExpectSameTypes(before, RoundTrip(before));
}

TEST_F(ExportOnnxTest, ANetworkComesBackNodeByNodeWithItsWeights) {
  ASSERT_TRUE(WriteZooModel("densenet121", directory_ / "zoo.onnx", 1).ok());
  Result<Graph> imported = ImportOnnx(directory_ / "zoo.onnx");
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const Graph before = Must(Canonicalise(std::move(*imported)));
  const Graph after = RoundTrip(before);
  ASSERT_THAT(Names(after), ElementsAreArray(Names(before)));
  for (size_t i = 0; i < before.nodes.size(); ++i) {
    if (!std::holds_alternative<Conv>(before.nodes[i].op)) continue;
    EXPECT_TRUE(before.nodes[i].op == after.nodes[i].op);
    EXPECT_EQ(FloatsOf(before, before.nodes[i].inputs[1]), FloatsOf(after, after.nodes[i].inputs[1]));
  }
}

TEST_F(ExportOnnxTest, WeightsElsewhereAreLookedUp) {
  const auto weight = std::make_shared<const Tensor>(Tensor::FromValues<float>({2, 2}, {1, 2, 3, 4}));
  GraphWriter b;
  const ValueId x = b.AddInput("x", DType::kFloat32, {Dim::Constant(1), Dim::Constant(2)});
  const ValueId w = b.AddConstant(weight->Clone());
  const ValueId y = b.EmitMany("linear", Linear{}, {x, w}, 1)[0];
  b.SetName(y, "y");
  b.AddOutput(y);
  Graph graph = std::move(b).Take();
  graph.initializers[0].data.reset();
  graph.initializers[0].weight = 7;
  const auto lookup = [&](WeightId id) { return id == 7 ? weight : nullptr; };
  ASSERT_TRUE(ExportOnnx(graph, lookup, directory_ / "g.onnx").ok());
  const Graph after = Must(ImportOnnx(directory_ / "g.onnx"));
  EXPECT_THAT(FloatsOf(after, after.nodes[0].inputs[1]), ElementsAre(1, 2, 3, 4));

  const Status missing = ExportOnnx(graph, nullptr, directory_ / "missing.onnx");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(fs::exists(directory_ / "missing.onnx"));
}

TEST_F(ExportOnnxTest, WhatOpset17CannotSayIsRefusedByName) {
  TestGraph g;
  const ValueId x = g.Input({1, 1, 4, 4});
  const Graph graph = g.Take({g.Node(Pad{PadMode::kWrap}, {x, g.Int64s({0, 0, 1, 1, 0, 0, 1, 1})})});
  const Status status = ExportOnnx(graph, nullptr, directory_ / "g.onnx");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(status.error().message, HasSubstr("'n1'"));
}

}  // namespace
}  // namespace soter
