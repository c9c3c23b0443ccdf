#include "owner/onnx/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "owner/onnx/onnx_builder.h"

namespace soter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Imports what must import, and checks that it is a valid graph.
Graph MustImport(const OnnxBuilder& builder, ImportReport* report = nullptr) {
  Result<Graph> graph = builder.Import(report);
  EXPECT_TRUE(graph.ok()) << graph.error().message;
  if (!graph.ok()) return {};
  Result<ValidatedGraph> valid = ValidatedGraph::Validate(*graph);
  EXPECT_TRUE(valid.ok()) << valid.error().message;
  return std::move(*graph);
}

Error MustFail(const OnnxBuilder& builder, ImportReport* report = nullptr) {
  Result<Graph> graph = builder.Import(report);
  EXPECT_FALSE(graph.ok());
  return graph.ok() ? Malformed("") : graph.error();
}

const Tensor* ConstantOf(const Graph& graph, ValueId value) {
  for (const Initializer& initializer : graph.initializers) {
    if (initializer.value == value) return initializer.data.get();
  }
  return nullptr;
}

std::vector<float> FloatsOf(const Graph& graph, ValueId value) {
  const Tensor* tensor = ConstantOf(graph, value);
  EXPECT_NE(tensor, nullptr);
  if (tensor == nullptr) return {};
  return {tensor->As<float>().begin(), tensor->As<float>().end()};
}

std::vector<int64_t> Int64sOf(const Graph& graph, ValueId value) {
  const Tensor* tensor = ConstantOf(graph, value);
  EXPECT_NE(tensor, nullptr);
  if (tensor == nullptr) return {};
  return {tensor->As<int64_t>().begin(), tensor->As<int64_t>().end()};
}

TEST(ImportOnnx, KeepsNamesAndSymbolicDims) {
  OnnxBuilder b;
  b.Input("x", {"batch", "3"}).Output("y");
  b.Node("Relu", {"x"}, {"y"}).set_name("activation");
  const Graph graph = MustImport(b);
  EXPECT_THAT(graph.symbols, ElementsAre("batch"));
  ASSERT_EQ(graph.inputs.size(), 1u);
  EXPECT_TRUE(graph.inputs[0].shape[0].is_symbol());
  EXPECT_EQ(graph.inputs[0].shape[1].extent(), 3);
  ASSERT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.nodes[0].name, "activation");
  EXPECT_EQ(graph.value_names[graph.outputs[0]], "y");
}

TEST(ImportOnnx, GemmBecomesLinearWithAlphaAndBetaInItsWeights) {
  OnnxBuilder b;
  b.Input("x", {"1", "2"}).Output("y").Floats("w", {2, 3}, {1, 2, 3, 4, 5, 6}).Floats("c", {1, 3}, {1, 2, 3});
  onnx::NodeProto& node = b.Node("Gemm", {"x", "w", "c"}, {"y"});
  SetFloat(node, "alpha", 2.0f);
  SetFloat(node, "beta", 10.0f);
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<Linear>(graph.nodes[0].op));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(2, 8, 4, 10, 6, 12));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[2]), ElementsAre(10, 20, 30));
  EXPECT_EQ(ConstantOf(graph, graph.nodes[0].inputs[1])->shape(), (Shape{3, 2}));
}

TEST(ImportOnnx, GemmWithAnAddendPerRowKeepsAnAdd) {
  OnnxBuilder b;
  b.Input("x", {"2", "2"}).Output("y").Floats("w", {2, 2}, {1, 2, 3, 4}).Floats("c", {2, 1}, {1, 2});
  b.Node("Gemm", {"x", "w", "c"}, {"y"});
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].inputs.size(), 2u);
  EXPECT_STREQ(OpName(graph.nodes[1].op), "Add");
}

TEST(ImportOnnx, MatMulByAConstantBecomesLinearEvenBehindIdentities) {
  OnnxBuilder b;
  b.Input("x", {"batch", "length", "2"}).Output("y").Floats("w", {3, 2}, {1, 2, 3, 4, 5, 6});
  b.Node("Identity", {"w"}, {"w1"});
  SetInts(b.Node("Transpose", {"w1"}, {"w2"}), "perm", {1, 0});
  b.Node("MatMul", {"x", "w2"}, {"y"});
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 1u);
  ASSERT_TRUE(std::holds_alternative<Linear>(graph.nodes[0].op));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(graph.initializers.size(), 1u);  // what was only material is gone
}

TEST(ImportOnnx, OneWeightReadThroughTwoNamesSurvivesTheFirstReader) {
  OnnxBuilder b;
  b.Input("x", {"1", "2"}).Output("y").Floats("w", {2, 2}, {1, 2, 3, 4});
  b.Node("Identity", {"w"}, {"alias"});
  b.Node("MatMul", {"x", "w"}, {"h"});
  b.Node("MatMul", {"h", "alias"}, {"y"});
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_THAT(FloatsOf(graph, graph.nodes[1].inputs[1]), ElementsAre(1, 3, 2, 4));
}

TEST(ImportOnnx, BatchNormalizationBecomesScaleAndShift) {
  OnnxBuilder b;
  b.Input("x", {"1", "2", "4"}).Output("y");
  b.Floats("gamma", {2}, {2, 3}).Floats("beta", {2}, {1, 1}).Floats("mean", {2}, {1, 2}).Floats("var", {2}, {4, 9});
  SetFloat(b.Node("BatchNormalization", {"x", "gamma", "beta", "mean", "var"}, {"y"}), "epsilon", 0.0f);
  const Graph graph = MustImport(b);
  ASSERT_TRUE(std::holds_alternative<ChannelAffine>(graph.nodes[0].op));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(1, 1));
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[2]), ElementsAre(0, -1));
}

TEST(ImportOnnx, ReadsAxesWhereTheOpsetHasThem) {
  for (int64_t opset : {11, 13}) {
    OnnxBuilder b(opset);
    b.Input("x", {"2", "3"}).Output("y");
    if (opset == 11) {
      SetInts(b.Node("Unsqueeze", {"x"}, {"y"}), "axes", {1});
    } else {
      b.Int64s("axes", {1}, {1});
      b.Node("Unsqueeze", {"x", "axes"}, {"y"});
    }
    const Graph graph = MustImport(b);
    ASSERT_TRUE(std::holds_alternative<Unsqueeze>(graph.nodes[0].op));
    EXPECT_THAT(Int64sOf(graph, graph.nodes[0].inputs[1]), ElementsAre(1)) << "opset " << opset;
  }
}

TEST(ImportOnnx, SoftmaxFlattensBeforeOpset13) {
  for (int64_t opset : {11, 13}) {
    OnnxBuilder b(opset);
    b.Input("x", {"2", "3", "4"}).Output("y");
    b.Node("Softmax", {"x"}, {"y"});
    const Graph graph = MustImport(b);
    const Softmax expected = opset == 11 ? Softmax{1, false, true} : Softmax{-1, false, false};
    EXPECT_EQ(std::get<Softmax>(graph.nodes[0].op), expected);
  }
}

TEST(ImportOnnx, DropoutAndIdentityVanishButOutputsKeepTheirNames) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y").Output("z");
  b.Node("Relu", {"x"}, {"y"});
  b.Node("Dropout", {"y"}, {"kept"});
  b.Node("Identity", {"kept"}, {"z"});
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.outputs.size(), 2u);
  EXPECT_EQ(graph.value_names[graph.outputs[1]], "z");
  EXPECT_EQ(graph.nodes.size(), 2u);
}

TEST(ImportOnnx, InitializersThatAreAlsoInputsAreConstants) {
  OnnxBuilder b;
  b.Input("x", {"1", "1"}).Input("w", {"1", "1"}).Output("y").Floats("w", {1, 1}, {3});
  b.Node("MatMul", {"x", "w"}, {"y"});
  EXPECT_EQ(MustImport(b).inputs.size(), 1u);
}

TEST(ImportOnnx, FixedInputsAreConstants) {
  OnnxBuilder b;
  b.Input("x", {"1", "1"}).Input("w", {"1", "1"}).Output("y");
  b.Node("MatMul", {"x", "w"}, {"y"});
  ImportOptions options;
  options.fixed_inputs.emplace("w", Tensor::FromValues<float>({1, 1}, {3}));
  const std::string bytes = b.Bytes();
  Result<Graph> graph = ImportOnnxBytes(std::as_bytes(std::span(bytes)), options);
  ASSERT_TRUE(graph.ok()) << graph.error().message;
  EXPECT_EQ(graph->inputs.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Linear>(graph->nodes[0].op));
}

TEST(ImportOnnx, NodesMayStandInAnyOrder) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  b.Node("Neg", {"h"}, {"y"});
  b.Node("Relu", {"x"}, {"h"});
  const Graph graph = MustImport(b);
  EXPECT_STREQ(OpName(graph.nodes[0].op), "Relu");
}

TEST(ImportOnnx, HalfWeightsBecomeFloatWithANote) {
  OnnxBuilder b;
  b.Input("x", {"4"}).Output("y");
  onnx::TensorProto& w = *b.graph().add_initializer();
  w.set_name("w");
  w.set_data_type(onnx::TensorProto::FLOAT16);
  w.add_dims(4);
  for (int32_t bits : {0x3c00, 0xc000, 0x0001, 0x7c00}) w.add_int32_data(bits);
  b.Node("Add", {"x", "w"}, {"y"});
  ImportReport report;
  const Graph graph = MustImport(b, &report);
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]),
              ElementsAre(1.0f, -2.0f, 0x1p-24f, std::numeric_limits<float>::infinity()));
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("FLOAT16")));
}

TEST(ImportOnnx, QuantisedWeightsAreDequantisedPerChannel) {
  OnnxBuilder b;
  b.Input("x", {"1", "2"}).Output("y").Floats("scale", {2}, {0.5f, 2.0f});
  onnx::TensorProto& q = *b.graph().add_initializer();
  q.set_name("q");
  q.set_data_type(onnx::TensorProto::INT8);
  q.add_dims(2), q.add_dims(2);
  q.set_raw_data(std::string("\x02\x03\xfe\x04", 4));
  SetInt(b.Node("DequantizeLinear", {"q", "scale"}, {"w"}), "axis", 1);
  b.Node("Add", {"x", "w"}, {"y"});
  ImportReport report;
  const Graph graph = MustImport(b, &report);
  EXPECT_THAT(FloatsOf(graph, graph.nodes[0].inputs[1]), ElementsAre(1, 6, -1, 8));
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("dequantised")));
}

TEST(ImportOnnx, QuantisedActivationsStayFloatWithANote) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y").Floats("scale", {}, {0.5f});
  b.Node("QuantizeLinear", {"x", "scale"}, {"q"});
  b.Node("DequantizeLinear", {"q", "scale"}, {"d"});
  b.Node("Relu", {"d"}, {"y"});
  ImportReport report;
  const Graph graph = MustImport(b, &report);
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("activations")));
}

TEST(ImportOnnx, FunctionsAreInlinedWithTheirAttributes) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  auto& function = *b.model().add_functions();
  function.set_domain("mine"), function.set_name("Twice");
  function.add_input("a"), function.add_output("b"), function.add_attribute("slope");
  function.add_opset_import()->set_version(13);
  for (const auto& [from, to] : {std::pair("a", "t"), std::pair("t", "b")}) {
    onnx::NodeProto& node = *function.add_node();
    node.set_op_type("LeakyRelu");
    node.add_input(from), node.add_output(to);
    SetFloat(node, "alpha", 0);
    node.mutable_attribute(0)->clear_f();
    node.mutable_attribute(0)->set_ref_attr_name("slope");
  }
  onnx::NodeProto& call = b.Node("Twice", {"x"}, {"y"});
  call.set_domain("mine");
  SetFloat(call, "slope", 0.5f);
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(std::get<Unary>(graph.nodes[1].op).alpha, 0.5f);
}

TEST(ImportOnnx, TheProductOfAnLstmWithItsInputIsALinear) {
  OnnxBuilder b(14);
  b.Input("x", {"5", "2", "3"}).Output("y").Filled("w", {1, 8, 3}, 1).Filled("r", {1, 8, 2}, 1).Filled("b", {1, 16}, 1);
  SetInt(b.Node("LSTM", {"x", "w", "r", "b"}, {"y"}), "hidden_size", 2);
  const Graph graph = MustImport(b);
  ASSERT_EQ(graph.nodes.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<Linear>(graph.nodes[0].op));
  EXPECT_EQ(std::get<Recurrent>(graph.nodes[1].op).kind, RecurrentKind::kLstm);
}

TEST(ImportOnnxErrors, FormsOfRecurrence) {
  const auto refusal = [](const std::function<void(onnx::NodeProto&)>& change) {
    OnnxBuilder b(14);
    b.Input("x", {"5", "2", "3"}).Output("y").Filled("w", {1, 8, 3}, 1).Filled("r", {1, 8, 2}, 1);
    change(b.Node("LSTM", {"x", "w", "r"}, {"y"}));
    return MustFail(b).message;
  };
  EXPECT_THAT(refusal([](auto& node) { SetFloat(node, "clip", 3); }), HasSubstr("clip"));
  EXPECT_THAT(refusal([](auto& node) { SetInt(node, "input_forget", 1); }), HasSubstr("forget"));
  EXPECT_THAT(refusal([](auto& node) { SetString(node, "direction", "up"); }), HasSubstr("'up'"));
  EXPECT_THAT(refusal([](auto& node) { node.clear_input(); }), HasSubstr("missing"));
}

TEST(ImportOnnxErrors, Einsums) {
  const std::pair<const char*, const char*> refused[] = {{"...ii->...i", "ellipsis"}, {"ii->i", "diagonal"},
                                                         {"ij->k", "no operand"}, {"ij,jk->ik", "number of operands"}};
  for (const auto& [equation, reason] : refused) {
    OnnxBuilder b;
    b.Input("x", {"2", "2"}).Output("y");
    SetString(b.Node("Einsum", {"x"}, {"y"}), "equation", equation);
    EXPECT_THAT(MustFail(b).message, HasSubstr(reason)) << equation;
  }
}

TEST(ImportOnnxErrors, UnsupportedElementTypes) {
  for (int32_t type : {onnx::TensorProto::UINT16, onnx::TensorProto::UINT64, onnx::TensorProto::COMPLEX64,
                       onnx::TensorProto::STRING}) {
    OnnxBuilder b;
    b.Input("x", {"2"}, type).Output("y");
    b.Node("Identity", {"x"}, {"y"});
    const Error error = MustFail(b);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_THAT(error.message, AllOf(HasSubstr("input 'x'"), HasSubstr("element type")));
  }
}

TEST(ImportOnnxErrors, EveryUnsupportedNodeIsReported) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  b.Node("NonZero", {"x"}, {"a"}).set_name("first");
  b.Node("Relu", {"a"}, {"b"});
  b.Node("If", {"b"}, {"c"}).set_name("second");
  b.Node("Inverse", {"c"}, {"y"}).set_domain("com.example");
  ImportReport report;
  const Error error = MustFail(b, &report);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("node 'first' (NonZero)"), HasSubstr("2 more nodes")));
  ASSERT_EQ(report.unsupported.size(), 3u);
  EXPECT_THAT(report.unsupported[1].reason, HasSubstr("subgraphs"));
  EXPECT_EQ(report.unsupported[2].domain, "com.example");
}

TEST(ImportOnnxErrors, RefusedByName) {
  for (const char* op_type : {"If", "Loop", "Scan", "SequenceConstruct", "OptionalGetElement", "StringNormalizer",
                              "RandomNormal", "NonZero", "NonMaxSuppression"}) {
    OnnxBuilder b;
    b.Input("x", {"2"}).Output("y");
    b.Node(op_type, {"x"}, {"y"}).set_name("n");
    const Error error = MustFail(b);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported) << op_type;
    EXPECT_THAT(error.message, HasSubstr("node 'n' (" + std::string(op_type) + ")"));
  }
}

TEST(ImportOnnxErrors, AnAttributeNobodyKnowsIsRefused) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  SetInt(b.Node("Relu", {"x"}, {"y"}), "leak", 1);
  EXPECT_THAT(MustFail(b).message, HasSubstr("attribute 'leak' is not known"));
}

TEST(ImportOnnxErrors, AnAttributeOfAnotherTypeIsRefused) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  SetInt(b.Node("LeakyRelu", {"x"}, {"y"}), "alpha", 1);
  const Error error = MustFail(b);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, AllOf(HasSubstr("alpha"), HasSubstr("expected FLOAT")));
}

TEST(ImportOnnxErrors, AWeightComputedAtRunTime) {
  OnnxBuilder b;
  b.Input("x", {"1", "1", "4", "4"}).Input("w", {"1", "1", "3", "3"}).Output("y");
  b.Node("Conv", {"x", "w"}, {"y"}).set_name("c");
  const Error error = MustFail(b);
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, AllOf(HasSubstr("node 'c'"), HasSubstr("'w'"), HasSubstr("constant")));
}

TEST(ImportOnnxErrors, Opsets) {
  for (int64_t opset : {1, 5, 22, 1000}) {
    OnnxBuilder b(opset);
    b.Input("x", {"2"}).Output("y");
    b.Node("Relu", {"x"}, {"y"});
    const Error error = MustFail(b);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported);
    EXPECT_THAT(error.message, HasSubstr("supported are 6 to 21"));
  }
  for (int64_t opset : {6, 21}) {
    OnnxBuilder b(opset);
    b.Input("x", {"2"}).Output("y");
    b.Node("Relu", {"x"}, {"y"});
    MustImport(b);
  }
}

// Opset 6 could align the second operand with an axis in the middle, which NumPy's rules cannot say.
TEST(ImportOnnxErrors, BroadcastingOfOpset6) {
  for (bool with_axis : {false, true}) {
    OnnxBuilder b(6);
    b.Input("x", {"2", "3"}).Input("z", {"2"}).Output("y");
    onnx::NodeProto& node = b.Node("Add", {"x", "z"}, {"y"});
    SetInt(node, "broadcast", 1);
    if (!with_axis) {
      MustImport(b);
      continue;
    }
    SetInt(node, "axis", 0);
    EXPECT_THAT(MustFail(b).message, AllOf(HasSubstr("axis"), HasSubstr("opset 7")));
  }
}

TEST(ImportOnnxErrors, Cycle) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  b.Node("Add", {"x", "b"}, {"a"}).set_name("one");
  b.Node("Relu", {"a"}, {"b"}).set_name("two");
  b.Node("Relu", {"b"}, {"y"}).set_name("after");
  const Error error = MustFail(b);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, AllOf(HasSubstr("cycle"), testing::Not(HasSubstr("after"))));
}

TEST(ImportOnnxErrors, DanglingInput) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  b.Node("Add", {"x", "nowhere"}, {"y"}).set_name("sum");
  const Error error = MustFail(b);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, AllOf(HasSubstr("node 'sum'"), HasSubstr("'nowhere'")));
}

TEST(ImportOnnxErrors, DanglingOutput) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("nothing");
  b.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(b).message, HasSubstr("output 'nothing'"));
}

TEST(ImportOnnxErrors, DuplicateNames) {
  OnnxBuilder nodes;
  nodes.Input("x", {"2"}).Output("y");
  nodes.Node("Relu", {"x"}, {"y"});
  nodes.Node("Neg", {"x"}, {"y"});
  EXPECT_THAT(MustFail(nodes).message, HasSubstr("already exists"));

  OnnxBuilder inputs;
  inputs.Input("x", {"2"}).Input("x", {"2"}).Output("y");
  inputs.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(inputs).message, HasSubstr("'x'"));
}

TEST(ImportOnnxErrors, TensorsThatLieAboutTheirSize) {
  OnnxBuilder few;
  few.Input("x", {"2"}).Output("y").Floats("w", {1'000'000, 1'000'000}, {1, 2});
  few.Node("Add", {"x", "w"}, {"y"});
  EXPECT_THAT(MustFail(few).message, AllOf(HasSubstr("initializer 'w'"), HasSubstr("has 2 values")));

  OnnxBuilder raw;
  raw.Input("x", {"2"}).Output("y").Filled("w", {2000}, 1.0f);
  raw.graph().mutable_initializer(0)->set_dims(0, 3000);
  raw.Node("Add", {"x", "w"}, {"y"});
  EXPECT_THAT(MustFail(raw).message, AllOf(HasSubstr("has 8000 bytes"), HasSubstr("needs 12000")));

  for (int64_t dim : {int64_t{-1}, INT64_MAX}) {
    OnnxBuilder b;
    b.Input("x", {"2"}).Output("y").Floats("w", {2}, {1, 2});
    b.graph().mutable_initializer(0)->set_dims(0, dim);
    b.Node("Add", {"x", "w"}, {"y"});
    EXPECT_EQ(MustFail(b).code, ErrorCode::kMalformed);
  }
}

TEST(ImportOnnxErrors, StringAndSparseTensors) {
  OnnxBuilder strings;
  strings.Input("x", {"2"}).Output("y").Floats("w", {1}, {1});
  strings.graph().mutable_initializer(0)->set_data_type(onnx::TensorProto::STRING);
  strings.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(strings).message, AllOf(HasSubstr("STRING"), HasSubstr("supported are")));

  OnnxBuilder sparse;
  sparse.Input("x", {"2"}).Output("y");
  sparse.graph().add_sparse_initializer()->mutable_values()->set_name("s");
  sparse.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(sparse).message, AllOf(HasSubstr("'s'"), HasSubstr("sparse")));

  OnnxBuilder sequence;
  sequence.Output("y");
  auto& input = *sequence.graph().add_input();
  input.set_name("x");
  input.mutable_type()->mutable_sequence_type();
  sequence.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(sequence).message, AllOf(HasSubstr("'x'"), HasSubstr("only tensors")));
}

TEST(ImportOnnxErrors, InputsOfTooHighARankOrWithoutShape) {
  OnnxBuilder high;
  high.Input("x", std::vector<std::string>(9, "1")).Output("y");
  high.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(high).message, HasSubstr("rank 9"));

  OnnxBuilder none;
  none.Input("x", {"2"}).Output("y");
  none.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->clear_shape();
  none.Node("Relu", {"x"}, {"y"});
  EXPECT_THAT(MustFail(none).message, HasSubstr("has no shape"));
}

TEST(ImportOnnxErrors, AFunctionThatCallsItself) {
  OnnxBuilder b;
  b.Input("x", {"2"}).Output("y");
  auto& function = *b.model().add_functions();
  function.set_domain("mine"), function.set_name("Endless");
  function.add_input("a"), function.add_output("b");
  for (int i = 0; i < 2; ++i) {
    onnx::NodeProto& node = *function.add_node();
    node.set_op_type("Endless"), node.set_domain("mine");
    node.add_input("a"), node.add_output("b" + std::string(i, '2'));
  }
  b.Node("Endless", {"x"}, {"y"}).set_domain("mine");
  const Error error = MustFail(b);
  EXPECT_EQ(error.code, ErrorCode::kMalformed);
  EXPECT_THAT(error.message, HasSubstr("calls itself"));
}

}  // namespace
}  // namespace soter
