#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

using ::testing::HasSubstr;

// A sound graph: x -> Conv -> Relu -> y, for each test to break.
GraphBuilder Sound() {
  GraphBuilder b;
  ValueId x = b.Input("x", {b.Symbol("batch"), Dim::Constant(1), Dim::Constant(4), Dim::Constant(4)});
  ValueId conv = b.Add(Conv{.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}}, {x, b.Weight({1, 1, 3, 3})});
  b.Output(b.Add(Unary{}, {conv}));
  return b;
}

Conv& ConvOf(Graph& graph) { return std::get<Conv>(graph.nodes[0].op); }

TEST(Validate, AcceptsASoundGraph) { EXPECT_TRUE(Sound().Validate().ok()); }

struct Fault {
  const char* name;
  std::function<void(Graph&)> inflict;
  const char* message;
};

class ValidateFault : public testing::TestWithParam<Fault> {};

TEST_P(ValidateFault, IsMalformed) {
  GraphBuilder b = Sound();
  GetParam().inflict(b.graph());
  Result<ValidatedGraph> result = b.Validate();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::kMalformed);
  EXPECT_THAT(result.error().message, HasSubstr(GetParam().message));
}

const Fault kFaults[] = {
    {"OperandOutOfRange", [](Graph& g) { g.nodes[0].inputs[0] = 99; }, "does not exist"},
    {"OutputOutOfRange", [](Graph& g) { g.outputs[0] = 99; }, "does not exist"},
    {"InputOutOfRange", [](Graph& g) { g.inputs[0].value = 99; }, "does not exist"},
    {"AbsentNodeOutput", [](Graph& g) { g.nodes[1].outputs[0] = kNoValue; }, "does not exist"},
    {"DefinedTwice", [](Graph& g) { g.nodes[1].outputs = g.nodes[0].outputs; }, "defined twice"},
    {"InputDefinedByNode", [](Graph& g) { g.nodes[1].outputs[0] = g.inputs[0].value; }, "defined twice"},
    {"UsedBeforeDefined", [](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }, "used before it is defined"},
    {"Cycle", [](Graph& g) { g.nodes[0].inputs[0] = g.nodes[1].outputs[0]; }, "used before it is defined"},
    {"OutputUndefined", [](Graph& g) { g.outputs[0] = g.AddValue("z"); }, "used before it is defined"},
    {"OutputTwice", [](Graph& g) { g.outputs.push_back(g.outputs[0]); }, "is an output twice"},
    {"NoOutput", [](Graph& g) { g.outputs.clear(); }, "no output"},
    {"SymbolOutOfRange", [](Graph& g) { g.symbols.clear(); }, "unknown symbol"},
    {"SymbolTwice", [](Graph& g) { g.symbols.push_back("batch"); }, "defined twice"},
    {"SymbolUnnamed", [](Graph& g) { g.symbols[0] = ""; }, "symbol's name"},
    {"InputUnnamed", [](Graph& g) { g.value_names[0] = ""; }, "has no name"},
    {"EdgesShareAName", [](Graph& g) { g.value_names[g.outputs[0]] = "x"; }, "are named 'x'"},
    {"LongValueName", [](Graph& g) { g.value_names[1].assign(5000, 'n'); }, "name is too long"},
    {"LongNodeName", [](Graph& g) { g.nodes[0].name.assign(5000, 'n'); }, "name is too long"},
    {"InputTooLarge", [](Graph& g) { g.inputs[0].shape[1] = Dim::Constant(INT64_MAX); }, "too large"},
    {"InputRank", [](Graph& g) { g.inputs[0].shape.resize(9, Dim::Constant(1)); }, "rank 9"},
    {"InputType", [](Graph& g) { g.inputs[0].dtype = static_cast<DType>(77); }, "data type"},
    {"InitializerNegative", [](Graph& g) { g.initializers[0].type.shape[0] = -1; }, "negative extent"},
    {"InitializerType", [](Graph& g) { g.initializers[0].type.dtype = static_cast<DType>(0); }, "data type"},
    {"InitializerDataDiffers",
     [](Graph& g) { g.initializers[0].data = std::make_shared<Tensor>(Tensor::FromValues<float>({1}, {1.0f})); },
     "but its data is"},
    {"InitializerDataEmpty", [](Graph& g) { g.initializers[0].data = std::make_shared<Tensor>(); }, "its data is"},
    {"InitializerDataAndWeight",
     [](Graph& g) {
       g.initializers[0].type = {DType::kFloat32, {1}};
       g.initializers[0].data = std::make_shared<Tensor>(Tensor::FromValues<float>({1}, {1.0f}));
       g.initializers[0].weight = 7;
     },
     "both data and a weight"},
    {"WeightIsNoInitializer", [](Graph& g) { g.nodes[0].inputs[1] = g.inputs[0].value; }, "must be initializers"},
    {"TooFewOperands", [](Graph& g) { g.nodes[0].inputs.pop_back(); }, "has 1 operands"},
    {"TooManyOperands", [](Graph& g) { g.nodes[1].inputs.assign(2, g.inputs[0].value); }, "has 2 operands"},
    {"MissingOperand", [](Graph& g) { g.nodes[0].inputs[1] = kNoValue; }, "operand 1 is missing"},
    {"NoNodeOutput", [](Graph& g) { g.nodes[1].outputs.clear(); }, "has 0 outputs"},
    {"TwoNodeOutputs", [](Graph& g) { g.nodes[1].outputs.push_back(g.AddValue("")); }, "has 2 outputs"},
    {"TooManyValues", [](Graph& g) { g.value_names.resize((1 << 20) + 1); }, "too many values"},
    {"TooManyNodes", [](Graph& g) { g.nodes.resize((1 << 20) + 1); }, "too many nodes"},
    {"TooManySymbols", [](Graph& g) { g.symbols.resize(2000); }, "too many symbols"},
    {"NoKernel", [](Graph& g) { ConvOf(g).window = {}; }, "1 to 3 axes"},
    {"FourAxes", [](Graph& g) { ConvOf(g).window.kernel.assign(4, 1); }, "1 to 3 axes"},
    {"KernelZero", [](Graph& g) { ConvOf(g).window.kernel[0] = 0; }, "kernel holds 0"},
    {"KernelHuge", [](Graph& g) { ConvOf(g).window.kernel[0] = INT64_MAX; }, "kernel holds"},
    {"StrideNegative", [](Graph& g) { ConvOf(g).window.strides[1] = -1; }, "strides holds -1"},
    {"DilationZero", [](Graph& g) { ConvOf(g).window.dilations[1] = 0; }, "dilations holds 0"},
    {"PadNegative", [](Graph& g) { ConvOf(g).window.pads_begin[1] = -1; }, "pads_begin holds -1"},
    {"PadHuge", [](Graph& g) { ConvOf(g).window.pads_end[1] = int64_t{1} << 40; }, "pads_end holds"},
    {"PadsMissing", [](Graph& g) { ConvOf(g).window.pads_end.pop_back(); }, "pads_end has 1 entries"},
    {"GroupsZero", [](Graph& g) { ConvOf(g).groups = 0; }, "groups is 0"},
    {"UnknownAutoPad", [](Graph& g) { ConvOf(g).window.auto_pad = static_cast<AutoPad>(9); }, "auto_pad"},
    {"UnknownActivation", [](Graph& g) { ConvOf(g).activation = static_cast<Activation>(9); }, "activation"},
    {"UnknownKind", [](Graph& g) { g.nodes[1].op = Unary{.kind = static_cast<UnaryKind>(200)}; }, "kind"},
    {"NotANumber", [](Graph& g) { g.nodes[1].op = Unary{.alpha = NAN}; }, "alpha is not a number"},
    {"CastToNoType", [](Graph& g) { g.nodes[1].op = Cast{.to = static_cast<DType>(9)}; }, "to is not a data type"},
    {"PermRepeats", [](Graph& g) { g.nodes[1].op = Transpose{.perm = {0, 0}}; }, "not a permutation"},
    {"PermOutOfRange", [](Graph& g) { g.nodes[1].op = Transpose{.perm = {0, 5}}; }, "not a permutation"},
    {"PermTooLong", [](Graph& g) { g.nodes[1].op = Transpose{.perm = Shape(9, 0)}; }, "too many entries"},
    {"PoolPad",
     [](Graph& g) { g.nodes[1].op = Pool{.window = {{2, 2}, {1, 1}, {1, 1}, {2, 0}, {0, 0}}}; }, "pooling window"},
    {"PoolPower",
     [](Graph& g) { g.nodes[1].op = Pool{.window = {{2, 2}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, .p = 0}; }, "p is 0"},
    {"ArgMaxWithoutAxis", [](Graph& g) { g.nodes[1].op = Reduce{.kind = ReduceKind::kArgMax}; }, "needs an axis"},
    {"SpatialWithAxes",
     [](Graph& g) {
       g.nodes[1].op = Reduce{.spatial = true};
       g.nodes[1].inputs.push_back(g.inputs[0].value);
     },
     "takes no axes"},
    {"LayerNormEpsilon", [](Graph& g) { g.nodes[1].op = LayerNorm{.epsilon = -1}; }, "epsilon"},
    {"GroupNormGroups",
     [](Graph& g) {
       g.nodes[1].op = GroupNorm{.groups = -1};
       g.nodes[1].inputs.assign(3, g.inputs[0].value);
     },
     "groups"},
    {"LrnSize", [](Graph& g) { g.nodes[1].op = Lrn{.size = 0}; }, "size is 0"},
    {"BlockZero", [](Graph& g) { g.nodes[1].op = DepthToSpace{.block = 0}; }, "block is 0"},
    {"SpaceToDepthOrder",
     [](Graph& g) { g.nodes[1].op = DepthToSpace{.column_row_depth = true, .inverse = true}; }, "one order"},
    {"ResizeByBoth",
     [](Graph& g) {
       g.nodes[1].op = Resize{};
       g.nodes[1].inputs.assign(3, g.inputs[0].value);
     },
     "either scales or sizes"},
    {"ResizeByNone",
     [](Graph& g) {
       g.nodes[1].op = Resize{};
       g.nodes[1].inputs = {g.inputs[0].value, kNoValue};
     },
     "either scales or sizes"},
    {"OutputPadding",
     [](Graph& g) {
       g.nodes[0].op = ConvTranspose{.window = ConvOf(g).window, .output_padding = {1, 0}};
     },
     "output_padding must be smaller"},
    {"OutputShape",
     [](Graph& g) {
       g.nodes[0].op = ConvTranspose{.window = ConvOf(g).window, .output_padding = {0, 0}, .output_shape = {0, 1}};
     },
     "output_shape holds 0"},
};

INSTANTIATE_TEST_SUITE_P(Each, ValidateFault, testing::ValuesIn(kFaults),
                         [](const auto& fault) { return fault.param.name; });

}  // namespace
}  // namespace soter
