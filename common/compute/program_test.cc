#include "common/compute/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<std::shared_ptr<const Tensor>> Ones(const Initializer& initializer) {
  if (initializer.data) return initializer.data;
  Tensor tensor = TRY(Tensor::Allocate(initializer.type));
  for (float& v : tensor.MutableAs<float>()) v = 1.0f;
  return std::make_shared<const Tensor>(std::move(tensor));
}

Tensor Ramp(const Shape& shape) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  float v = -1.0f;
  for (float& element : tensor.MutableAs<float>()) element = (v += 0.01f) > 1.0f ? v = -1.0f : v;
  return tensor;
}

Conv ThreeByThree() { return {.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}}; }

// Streamed is conv, relu, conv where both results before the activation are outputs, as a checked chain has it.
struct Streamed : GraphBuilder {
  explicit Streamed(int64_t channels = 16) {
    ValueId x = Input("x", Shape{1, 3, 8, 8});
    ValueId first = Add(ThreeByThree(), {x, Weight({channels, 3, 3, 3})});
    ValueId second =
        Add(ThreeByThree(), {Add(Unary{.kind = UnaryKind::kRelu}, {first}), Weight({channels, channels, 3, 3})});
    Output(first, "first");
    Output(second, "second");
    Output(Add(Unary{.kind = UnaryKind::kRelu}, {second}), "third");
  }
  StaticGraph Bound() { return Bind({{1, 3, 8, 8}}).value(); }
};

// Outputs of a run in the given layouts, each turned back into a dense tensor.
std::vector<Tensor> RunIn(const StaticGraph& graph, const Tensor& x, const ProgramOptions& options) {
  Program program = Program::Compile(graph, Ones, options).value();
  Layout input = options.input_layouts.empty() ? Layout::kDense : options.input_layouts[0];
  Buffer in(LaidOutBytes(x.type(), input).value());
  Relayout(x.type(), Layout::kDense, x.bytes().data(), input, in.bytes().data());
  std::vector<Buffer> buffers;
  std::vector<std::byte*> out;
  for (size_t i = 0; i < graph.graph().outputs.size(); ++i) {
    Layout layout = options.output_layouts.empty() ? Layout::kDense : options.output_layouts[i];
    buffers.emplace_back(LaidOutBytes(graph.type(graph.graph().outputs[i]), layout).value());
    out.push_back(buffers.back().bytes().data());
  }
  const std::byte* ins[] = {in.bytes().data()};
  EXPECT_TRUE(program.Run(ins, out).ok());
  std::vector<Tensor> dense;
  for (size_t i = 0; i < out.size(); ++i) {
    const TensorType& type = graph.type(graph.graph().outputs[i]);
    dense.push_back(Tensor::Allocate(type).value());
    Layout layout = options.output_layouts.empty() ? Layout::kDense : options.output_layouts[i];
    Relayout(type, layout, out[i], Layout::kDense, dense.back().mutable_bytes().data());
  }
  return dense;
}

TEST(Relayout, BlocksChannelsBySixteenAndPadsWithZeros) {
  TensorType type{DType::kFloat32, {1, 3, 1, 2}};
  Tensor x = Tensor::FromValues<float>({1, 3, 1, 2}, {1, 2, 3, 4, 5, 6});
  Buffer blocked(LaidOutBytes(type, Layout::kNChw16c).value());
  std::ranges::fill(blocked.bytes(), std::byte{0xff});
  Relayout(type, Layout::kDense, x.bytes().data(), Layout::kNChw16c, blocked.bytes().data());
  const float* y = reinterpret_cast<const float*>(blocked.bytes().data());
  for (int w = 0; w < 2; ++w) {
    for (int c = 0; c < 16; ++c) EXPECT_EQ(y[w * 16 + c], c < 3 ? static_cast<float>(c * 2 + w + 1) : 0.0f);
  }
}

TEST(Relayout, PutsChannelsLast) {
  TensorType type{DType::kFloat32, {1, 2, 1, 3}};
  Tensor x = Tensor::FromValues<float>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6}), y = Tensor::Allocate(type).value();
  Relayout(type, Layout::kDense, x.bytes().data(), Layout::kNhwc, y.mutable_bytes().data());
  EXPECT_THAT(y.As<float>(), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Program, GivesTheSameResultInEveryLayout) {
  for (int64_t channels : {16, 19}) {
    StaticGraph graph = Streamed(channels).Bound();
    Tensor x = Ramp({1, 3, 8, 8});
    std::vector<Tensor> expected = RunIn(graph, x, {});
    for (Layout input : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c}) {
      for (Layout output : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c}) {
        ProgramOptions options{.input_layouts = {input}, .output_layouts = {output, output, output}};
        std::vector<Tensor> got = RunIn(graph, x, options);
        for (size_t i = 0; i < 3; ++i) {
          EXPECT_THAT(got[i].As<float>(), testing::Pointwise(testing::FloatNear(1e-3f), expected[i].As<float>()))
              << LayoutName(input) << " to " << LayoutName(output) << ", output " << i;
        }
      }
    }
  }
}

TEST(Program, PreferredLayoutsArePreferredAgain) {
  StaticGraph graph = Streamed().Bound();
  Program program = Program::Compile(graph, Ones, {}).value();
  ProgramOptions options{.input_layouts = program.PreferredInputLayouts(),
                         .output_layouts = program.PreferredOutputLayouts()};
  Program again = Program::Compile(graph, Ones, options).value();
  EXPECT_EQ(again.PreferredInputLayouts(), options.input_layouts);
  EXPECT_EQ(again.PreferredOutputLayouts(), options.output_layouts);
  EXPECT_LT(again.scratch_bytes(), program.scratch_bytes());
}

TEST(Program, ReportsEachOutputOnceAndNeverTouchesItAgain) {
  StaticGraph graph = Streamed().Bound();
  Program program =
      Program::Compile(graph, Ones, {.output_layouts = {Layout::kNChw16c, Layout::kNhwc, Layout::kDense}}).value();
  Tensor x = Ramp({1, 3, 8, 8});
  std::vector<Tensor> outputs;
  std::vector<std::byte*> out;
  for (ValueId value : graph.graph().outputs) outputs.push_back(Tensor::Allocate(graph.type(value)).value());
  for (Tensor& output : outputs) out.push_back(output.mutable_bytes().data());
  const std::byte* in[] = {x.bytes().data()};
  std::vector<size_t> order;
  std::map<size_t, Tensor> snapshots;
  Status status = program.Run(in, out, [&](size_t i) {
    order.push_back(i);
    snapshots[i] = outputs[i].Clone();
  });
  ASSERT_TRUE(status.ok());
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  for (size_t i = 0; i < 3; ++i)
    EXPECT_TRUE(std::ranges::equal(snapshots[i].bytes(), outputs[i].bytes())) << "output " << i;
  for (size_t i = 0; i < 3; ++i) EXPECT_THAT(outputs[i].As<float>(), testing::Contains(testing::Ne(0.0f)));
}

TEST(Program, AsksForEachInitializerOnce) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{4, 8});
  ValueId shared = builder.Weight({8, 8}), bias = builder.Weight({8});
  ValueId y = builder.Add(Linear{}, {builder.Add(Linear{}, {x, shared, bias}), shared, bias});
  builder.Output(builder.Add(MatMul{}, {y, shared}));
  std::map<ValueId, int> calls;
  WeightSource source = [&](const Initializer& initializer) {
    ++calls[initializer.value];
    return Ones(initializer);
  };
  StaticGraph graph = builder.Bind({{4, 8}}).value();
  ASSERT_TRUE(Program::Compile(graph, source, {}).ok());
  EXPECT_THAT(calls, ElementsAre(testing::Pair(shared, 1), testing::Pair(bias, 1)));
}

TEST(Program, OutputsMayBeInputsConstantsAndRepeated) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2, 2});
  ValueId constant = builder.Weight({3});
  ValueId y = builder.Add(Unary{.kind = UnaryKind::kNeg}, {x});
  for (ValueId value : {x, constant, y}) builder.Output(value, "v" + std::to_string(value));
  Program program = Program::Compile(builder.Bind({{2, 2}}).value(), Ones, {}).value();
  Tensor in = Tensor::FromValues<float>({2, 2}, {1, 2, 3, 4}), a = in.Clone(), b = Ramp({3}), c = in.Clone();
  const std::byte* ins[] = {in.bytes().data()};
  std::byte* outs[] = {a.mutable_bytes().data(), b.mutable_bytes().data(), c.mutable_bytes().data()};
  std::vector<size_t> done;
  ASSERT_TRUE(program.Run(ins, outs, [&](size_t i) { done.push_back(i); }).ok());
  EXPECT_THAT(a.As<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(b.As<float>(), ElementsAre(1, 1, 1));
  EXPECT_THAT(c.As<float>(), ElementsAre(-1, -2, -3, -4));
  EXPECT_THAT(done, testing::UnorderedElementsAre(0, 1, 2));
}

TEST(Program, EmptyTensorsAreReported) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{0, 3});
  builder.Output(builder.Add(Unary{.kind = UnaryKind::kExp}, {x}));
  Program program = Program::Compile(builder.Bind({{0, 3}}).value(), Ones, {}).value();
  Buffer nothing(0);
  const std::byte* in[] = {nothing.bytes().data()};
  std::byte* out[] = {nothing.bytes().data()};
  int calls = 0;
  EXPECT_TRUE(program.Run(in, out, [&](size_t) { ++calls; }).ok());
  EXPECT_EQ(calls, 1);
}

TEST(Program, NodeTimesCountFusedNodesAsZero) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{1, 3, 8, 8});
  builder.Output(builder.Add(Unary{.kind = UnaryKind::kRelu},
                             {builder.Add(ThreeByThree(), {x, builder.Weight({16, 3, 3, 3})})}));
  StaticGraph graph = builder.Bind({{1, 3, 8, 8}}).value();
  Program program = Program::Compile(graph, Ones, {}).value();
  Tensor in = Ramp({1, 3, 8, 8}), y = Ramp({1, 16, 8, 8});
  const std::byte* ins[] = {in.bytes().data()};
  std::byte* outs[] = {y.mutable_bytes().data()};
  std::vector<double> times = program.NodeTimes(ins, outs).value();
  ASSERT_EQ(times.size(), 2u);
  EXPECT_GT(times[0], 0.0);
  EXPECT_EQ(times[1], 0.0);
}

// ErrorOf compiles a graph of one operator.
Error ErrorOf(GraphBuilder& builder, Op op, std::vector<ValueId> inputs, const ProgramOptions& options = {},
              const WeightSource& source = Ones) {
  builder.Output(builder.Add(std::move(op), std::move(inputs)));
  std::vector<Shape> shapes;
  for (const GraphInput& input : builder.graph().inputs) {
    shapes.emplace_back();
    for (const Dim& dim : input.shape) shapes.back().push_back(dim.extent());
  }
  Result<Program> program = Program::Compile(builder.Bind(shapes).value(), source, options);
  if (program.ok()) return {ErrorCode::kMalformed, "it compiled"};
  return program.error();
}

TEST(ProgramErrors, NoThreads) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2});
  EXPECT_EQ(ErrorOf(builder, Unary{}, {x}, {.threads = 0}).code, ErrorCode::kInvalidArgument);
}

TEST(ProgramErrors, WrongNumberOfLayouts) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2});
  Error error = ErrorOf(builder, Unary{}, {x}, {.input_layouts = {Layout::kDense, Layout::kDense}});
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
}

TEST(ProgramErrors, LayoutThatTheTypeCannotHave) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2, 3});
  Error error = ErrorOf(builder, Unary{}, {x}, {.output_layouts = {Layout::kNhwc}});
  EXPECT_EQ(error.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("float32[2, 3]"));
}

TEST(ProgramErrors, UnsupportedTypeNamesNodeAndType) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2, 3}, DType::kFloat64);
  Error error = ErrorOf(builder, Softmax{}, {x});
  EXPECT_EQ(error.code, ErrorCode::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("n0"));
  EXPECT_THAT(error.message, HasSubstr("float64"));
}

TEST(ProgramErrors, WeightSourceFails) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2, 3});
  WeightSource broken = [](const Initializer&) -> Result<std::shared_ptr<const Tensor>> {
    return Unavailable("gone");
  };
  Error error = ErrorOf(builder, Linear{}, {x, builder.Weight({4, 3})}, {}, broken);
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("gone"));
}

TEST(ProgramErrors, WeightSourceGivesAnotherType) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{2, 3});
  WeightSource wrong = [](const Initializer&) -> Result<std::shared_ptr<const Tensor>> {
    return std::make_shared<const Tensor>(Ramp({1}));
  };
  EXPECT_EQ(ErrorOf(builder, Linear{}, {x, builder.Weight({4, 3})}, {}, wrong).code, ErrorCode::kInvalidArgument);
}

TEST(ProgramErrors, WrongNumberOfBuffers) {
  GraphBuilder builder;
  builder.Output(builder.Add(Unary{}, {builder.Input("x", Shape{2})}));
  Program program = Program::Compile(builder.Bind({{2}}).value(), Ones, {}).value();
  EXPECT_EQ(program.Run({}, {}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(program.NodeTimes({}, {}).error().code, ErrorCode::kInvalidArgument);
}

TEST(ProgramErrors, GatherIndexOutOfRange) {
  for (bool elements : {false, true}) {
    for (int64_t index : {int64_t{5}, int64_t{-6}, INT64_MIN}) {
      GraphBuilder builder;
      ValueId data = builder.Input("data", Shape{5}), indices = builder.Input("indices", Shape{1}, DType::kInt64);
      builder.Output(builder.Add(Gather{.elements = elements}, {data, indices}));
      Program program = Program::Compile(builder.Bind({{5}, {1}}).value(), Ones, {}).value();
      Tensor x = Ramp({5}), i = Tensor::FromValues<int64_t>({1}, {index}), y = Ramp({1});
      const std::byte* in[] = {x.bytes().data(), i.bytes().data()};
      std::byte* out[] = {y.mutable_bytes().data()};
      Status status = program.Run(in, out);
      ASSERT_FALSE(status.ok());
      EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace soter
