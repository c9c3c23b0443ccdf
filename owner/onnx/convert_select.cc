// Operators that compare with positions, or select, order or write by them.
#include <iterator>

#include "owner/onnx/compose.h"

namespace soter {
namespace {

// y[.., i, ..] = on where i is the index, else off.
Status ConvertOneHot(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const int64_t axis = TRY(node.Int("axis", -1));
  const ValueId depth = TRY(compose.Emit(
      Reshape{}, {TRY(compose.To(DType::kInt64, TRY(c.Input(node, 1)))), compose.Int64s({})}));
  ValueId index = TRY(compose.To(DType::kInt64, TRY(c.Input(node, 0))));
  const ValueId is_negative = TRY(compose.Apply(BinaryKind::kLess, index, compose.Int64(0)));
  const ValueId from_the_end = TRY(compose.Apply(BinaryKind::kAdd, index, depth));
  index = TRY(compose.Select(is_negative, from_the_end, index));
  index = TRY(compose.Emit(Unsqueeze{}, {index, compose.Int64s({axis})}));
  ValueId positions = TRY(compose.Emit(Range{}, {compose.Int64(0), depth, compose.Int64(1)}));
  positions = TRY(compose.AlongAxis(positions, index, axis));
  const ValueId values = TRY(c.Input(node, 2));
  const ValueId off = TRY(compose.Emit(Gather{}, {values, compose.Int64(0)}));
  const ValueId on = TRY(compose.Emit(Gather{}, {values, compose.Int64(1)}));
  return c.EmitOutput(node, Where{}, {TRY(compose.Apply(BinaryKind::kEqual, index, positions)), on, off});
}

// 1 at the first maximum along the axis, else 0.
Result<ValueId> EmitHardmax(Compose& compose, ValueId x, int64_t axis) {
  const Reduce first{.kind = ReduceKind::kArgMax};
  const ValueId index = TRY(compose.Emit(first, {x, compose.Int64s({axis})}));
  const ValueId hit = TRY(compose.Apply(BinaryKind::kEqual, index, TRY(compose.Positions(x, axis))));
  return compose.To(compose.TypeOf(x), hit);
}

Status ConvertHardmax(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() >= 13) return c.SetOutput(node, TRY(EmitHardmax(compose, x, TRY(node.Int("axis", -1)))));
  const ValueId rows = TRY(compose.Emit(Flatten{TRY(node.Int("axis", 1))}, {x}));
  const ValueId y = TRY(EmitHardmax(compose, rows, -1));
  return c.EmitOutput(node, Reshape{}, {y, TRY(compose.Emit(ShapeOf{}, {x}))});
}

Result<DType> ReadDType(const OnnxNode& node, const char* attribute, DType otherwise) {
  if (!node.Has(attribute)) return otherwise;
  return ImportedDType(static_cast<int32_t>(TRY(node.Int(attribute, 0))));
}

// Ones on the k-th diagonal: what is left of a matrix of ones below and above it.
Status ConvertEyeLike(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const ValueId x = TRY(c.Input(node, 0)), k = compose.Int64(TRY(node.Int("k", 0)));
  const DType dtype = TRY(ReadDType(node, "dtype", compose.TypeOf(x)));
  const ValueId shape = TRY(compose.Emit(ShapeOf{}, {x}));
  const ValueId ones = TRY(compose.Emit(Fill{}, {shape, TRY(compose.Scalar(dtype, 1))}));
  const ValueId upper = TRY(compose.Emit(Trilu{true}, {ones, k}));
  return c.EmitOutput(node, Trilu{false}, {upper, k});
}

// The condition decides about the shape, so it must be a constant; then it is a Gather.
Status ConvertCompress(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  ValueId x = TRY(c.Input(node, 0));
  const Tensor* condition = TRY(c.ConstantInput(node, 1));
  if (condition->dtype() != DType::kBool) return Malformed("its condition is " + TypeString(condition->type()));
  std::vector<int64_t> kept;
  for (size_t i = 0; i < condition->As<bool>().size(); ++i) {
    if (condition->As<bool>()[i]) kept.push_back(static_cast<int64_t>(i));
  }
  if (!node.Has("axis")) x = TRY(compose.Emit(Reshape{}, {x, compose.Int64s({-1})}));
  return c.EmitOutput(node, Gather{TRY(node.Int("axis", 0))}, {x, compose.Int64s(std::move(kept))});
}

Status ConvertCastLike(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  return c.EmitOutput(node, Cast{compose.TypeOf(TRY(c.Input(node, 1)))}, {TRY(c.Input(node, 0))});
}

// x + bias below -lambd, x - bias above lambd, 0 between.
Status ConvertShrink(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const ValueId x = TRY(c.Input(node, 0));
  const float border = TRY(node.Float("lambd", 0.5f)), bias = TRY(node.Float("bias", 0.0f));
  if (compose.TypeOf(x) != DType::kFloat32) return Unsupported("type " + std::string(DTypeName(compose.TypeOf(x))));
  const auto scalar = [&](float value) { return c.builder().AddScalar(value); };
  const ValueId below = TRY(compose.Apply(BinaryKind::kLess, x, scalar(-border)));
  const ValueId above = TRY(compose.Apply(BinaryKind::kGreater, x, scalar(border)));
  const ValueId raised = TRY(compose.Apply(BinaryKind::kAdd, x, scalar(bias)));
  const ValueId lowered = TRY(compose.Apply(BinaryKind::kSub, x, scalar(bias)));
  const ValueId upper = TRY(compose.Select(above, lowered, scalar(0)));
  return c.EmitOutput(node, Where{}, {below, raised, upper});
}

Status ConvertCumSum(Conversion& c, const OnnxNode& node) {
  const CumSum op{TRY(node.Flag("exclusive", false)), TRY(node.Flag("reverse", false))};
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0)), TRY(c.Int64Input(node, 1))});
}

Status ConvertTopK(Conversion& c, const OnnxNode& node) {
  node.Ignore({"sorted"});  // ours always are
  const TopK op{TRY(node.Int("axis", -1)), TRY(node.Flag("largest", true))};
  const ValueId x = TRY(c.Input(node, 0));
  const ValueId k = node.opset() >= 10 ? TRY(c.Int64Input(node, 1)) : c.builder().AddInt64s({TRY(node.Int("k", 0))});
  const auto outputs = c.builder().EmitMany(node.name(), op, {x, k}, 2);
  for (size_t i = 0; i < 2; ++i) {
    if (!node.output(i).empty()) c.Bind(node.output(i), outputs[i]);
  }
  return {};
}

Status ConvertGatherNd(Conversion& c, const OnnxNode& node) {
  const GatherNd op{TRY(node.Int("batch_dims", 0))};
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

Result<ScatterReduction> ReadScatterReduction(const OnnxNode& node) {
  const std::string name = TRY(node.String("reduction", "none"));
  constexpr const char* kNames[] = {"none", "add", "mul", "max", "min"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<ScatterReduction>(i);
  }
  return Malformed("reduction '" + name + "' is not one of none, add, mul, max, min");
}

Status EmitScatter(Conversion& c, const OnnxNode& node, Scatter op) {
  op.reduction = TRY(ReadScatterReduction(node));
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1)), TRY(c.Input(node, 2))});
}

Status ConvertScatterElements(Conversion& c, const OnnxNode& node) {
  return EmitScatter(c, node, {.axis = TRY(node.Int("axis", 0)), .elements = true});
}

Status ConvertScatterNd(Conversion& c, const OnnxNode& node) { return EmitScatter(c, node, {}); }

constexpr OperatorRow kOperators[] = {
    {"CumSum", ConvertCumSum},     {"TopK", ConvertTopK},         {"GatherND", ConvertGatherNd},
    {"ScatterElements", ConvertScatterElements}, {"Scatter", ConvertScatterElements},  // its name up to opset 10
    {"ScatterND", ConvertScatterNd},
    {"OneHot", ConvertOneHot},     {"Hardmax", ConvertHardmax},   {"EyeLike", ConvertEyeLike},
    {"Compress", ConvertCompress}, {"CastLike", ConvertCastLike}, {"Shrink", ConvertShrink},
};

}  // namespace

std::span<const OperatorRow> SelectOperators() { return kOperators; }

}  // namespace soter
