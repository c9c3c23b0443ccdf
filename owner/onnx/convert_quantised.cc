// Integer arithmetic of quantised networks, computed in float32: the integers are small enough to be exact in it, so
// only the last rounding of a scaled result can differ.
#include "owner/onnx/compose.h"
#include "owner/onnx/window.h"

namespace soter {
namespace {

constexpr const char* kNote = "integer arithmetic of quantised operators is computed in float32";

// Centred is operand `i` minus its zero point (operand `zero`, absent: 0), as float32.
Result<ValueId> Centred(Conversion& c, const OnnxNode& node, size_t i, size_t zero, bool per_row = false) {
  Compose compose(c, node);
  const ValueId x = TRY(compose.To(DType::kFloat32, TRY(c.Input(node, i))));
  const ValueId point = TRY(c.OptionalInput(node, zero));
  if (point == kNoValue) return x;
  ValueId offset = TRY(compose.To(DType::kFloat32, point));
  if (per_row) {  // one for each output channel of a weight [m, ...]
    const ValueId ones = TRY(compose.RepeatPerAxis(1, x, 1));
    const ValueId shape = TRY(compose.Emit(Concat{0}, {compose.Int64s({-1}), ones}));
    offset = TRY(compose.Emit(Reshape{}, {offset, shape}));
  }
  return compose.Apply(BinaryKind::kSub, x, offset);
}

// Quantised is saturate(round(y / scale) + zero point) in the zero point's type.
Result<ValueId> Quantised(Compose& compose, ValueId y, ValueId scale, ValueId zero, DType dtype) {
  if (dtype != DType::kUint8 && dtype != DType::kInt8) return Unsupported(std::string("type ") + DTypeName(dtype));
  const ValueId steps = TRY(compose.Apply(BinaryKind::kDiv, y, scale));
  ValueId rounded = TRY(compose.Apply(UnaryKind::kRound, steps));
  if (zero != kNoValue)
    rounded = TRY(compose.Apply(BinaryKind::kAdd, rounded, TRY(compose.To(DType::kFloat32, zero))));
  Unary saturate{UnaryKind::kClip, 0, 255};
  if (dtype == DType::kInt8) saturate = {UnaryKind::kClip, -128, 127};
  return compose.To(dtype, TRY(compose.Emit(saturate, {rounded})));
}

Result<ValueId> Convolved(Conversion& c, const OnnxNode& node, ValueId x, ValueId weight) {
  const Tensor* tensor = c.Constant(weight);
  if (tensor == nullptr) return Unsupported("its weight is computed at run time; it must be a constant");
  if (tensor->shape().size() < 3) return Malformed("its weight is " + TypeString(tensor->type()));
  Conv conv;
  conv.window = TRY(ReadWindow(node, {tensor->shape().begin() + 2, tensor->shape().end()}));
  conv.groups = TRY(node.Int("group", 1));
  return c.Emit(node, std::move(conv), {x, weight});
}

Result<ValueId> Multiplied(Conversion& c, const OnnxNode& node, ValueId a, ValueId b) {
  const Tensor* weight = c.Constant(b);
  if (weight == nullptr || weight->shape().size() != 2) return c.Emit(node, MatMul{}, {a, b});
  return c.Emit(node, Linear{}, {a, TRY(c.Emit(node, Transpose{{1, 0}}, {b}))});
}

// The exact sum is an integer; behind masks it comes back with a rounding error, so it is rounded again.
Status EmitInteger(Conversion& c, const OnnxNode& node, ValueId sum) {
  c.AddNote(kNote);
  return c.EmitOutput(node, Cast{DType::kInt32}, {TRY(c.Emit(node, Unary{UnaryKind::kRound}, {sum}))});
}

Status ConvertConvInteger(Conversion& c, const OnnxNode& node) {
  const ValueId x = TRY(Centred(c, node, 0, 2)), weight = TRY(Centred(c, node, 1, 3, /*per_row=*/true));
  return EmitInteger(c, node, TRY(Convolved(c, node, x, weight)));
}

Status ConvertMatMulInteger(Conversion& c, const OnnxNode& node) {
  const ValueId a = TRY(Centred(c, node, 0, 2)), b = TRY(Centred(c, node, 1, 3));
  return EmitInteger(c, node, TRY(Multiplied(c, node, a, b)));
}

// y_scale and y_zero_point are operands 6 and 7 of both QLinear operators; scales of x and of the weight 1 and 4.
Status EmitRescaled(Conversion& c, const OnnxNode& node, ValueId sum) {
  c.AddNote(kNote);
  Compose compose(c, node);
  const ValueId scale = TRY(compose.Apply(BinaryKind::kMul, TRY(c.Input(node, 1)), TRY(c.Input(node, 4))));
  ValueId y = sum;
  if (node.op_type() == "QLinearConv") {
    const ValueId ones = TRY(compose.RepeatPerAxis(1, sum, 2));
    const ValueId shape = TRY(compose.Emit(Concat{0}, {compose.Int64s({-1}), ones}));
    y = TRY(compose.Apply(BinaryKind::kMul, y, TRY(compose.Emit(Reshape{}, {scale, shape}))));
  } else {
    y = TRY(compose.Apply(BinaryKind::kMul, y, scale));
  }
  const ValueId zero = TRY(c.Input(node, 7));
  return c.SetOutput(node, TRY(Quantised(compose, y, TRY(c.Input(node, 6)), zero, compose.TypeOf(zero))));
}

Status ConvertQLinearConv(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const ValueId x = TRY(Centred(c, node, 0, 2)), weight = TRY(Centred(c, node, 3, 5, /*per_row=*/true));
  ValueId sum = TRY(Convolved(c, node, x, weight));
  const ValueId bias = TRY(c.OptionalInput(node, 8));
  if (bias != kNoValue) {
    const ValueId ones = TRY(compose.RepeatPerAxis(1, sum, 2));
    const ValueId shape = TRY(compose.Emit(Concat{0}, {compose.Int64s({-1}), ones}));
    const ValueId column = TRY(compose.Emit(Reshape{}, {TRY(compose.To(DType::kFloat32, bias)), shape}));
    sum = TRY(compose.Apply(BinaryKind::kAdd, sum, column));
  }
  return EmitRescaled(c, node, sum);
}

Status ConvertQLinearMatMul(Conversion& c, const OnnxNode& node) {
  const ValueId a = TRY(Centred(c, node, 0, 2)), b = TRY(Centred(c, node, 3, 5));
  return EmitRescaled(c, node, TRY(Multiplied(c, node, a, b)));
}

// scale = (max(x, 0) - min(x, 0)) / 255, zero point = saturate(round(-min / scale)).
Status ConvertDynamicQuantizeLinear(Conversion& c, const OnnxNode& node) {
  Compose compose(c, node);
  const ValueId x = TRY(c.Input(node, 0)), nothing = c.builder().AddScalar(0);
  const auto extreme = [&](ReduceKind over, BinaryKind with) -> Result<ValueId> {
    return compose.Apply(with, TRY(compose.Reduced(over, x, kNoValue, false)), nothing);
  };
  const ValueId most = TRY(extreme(ReduceKind::kMax, BinaryKind::kMax));
  const ValueId least = TRY(extreme(ReduceKind::kMin, BinaryKind::kMin));
  const ValueId width = TRY(compose.Apply(BinaryKind::kSub, most, least));
  const ValueId scale = TRY(compose.Apply(BinaryKind::kDiv, width, c.builder().AddScalar(255)));
  const ValueId below = TRY(compose.Apply(UnaryKind::kNeg, least));
  const ValueId zero = TRY(Quantised(compose, below, scale, kNoValue, DType::kUint8));
  if (!node.output(1).empty()) c.Bind(node.output(1), scale);
  if (!node.output(2).empty()) c.Bind(node.output(2), zero);
  return c.SetOutput(node, TRY(Quantised(compose, x, scale, zero, DType::kUint8)));
}

// Inside a network x is remembered, so that DequantizeLinear can return to it; a result of the network is quantised.
Status ConvertQuantizeLinear(Conversion& c, const OnnxNode& node) {
  node.Ignore({"axis", "saturate", "block_size", "output_dtype", "precision"});
  const ValueId x = TRY(c.Input(node, 0));
  if (!c.IsGraphOutput(node.output(0))) {
    c.BindQuantized(node.output(0), x);
    return {};
  }
  Compose compose(c, node);
  const ValueId point = TRY(c.OptionalInput(node, 2));
  ValueId scale = TRY(c.Input(node, 1)), zero = point;
  const Tensor* steps = c.Constant(scale);
  if (steps != nullptr && !steps->shape().empty()) {  // one for each entry along the axis
    const int64_t axis = TRY(node.Int("axis", 1));
    scale = TRY(compose.AlongAxis(scale, x, axis));
    if (zero != kNoValue) zero = TRY(compose.AlongAxis(zero, x, axis));
  }
  const DType dtype = point == kNoValue ? DType::kUint8 : compose.TypeOf(point);
  return c.SetOutput(node, TRY(Quantised(compose, x, scale, zero, dtype)));
}

constexpr OperatorRow kOperators[] = {
    {"QuantizeLinear", ConvertQuantizeLinear},
    {"ConvInteger", ConvertConvInteger},
    {"MatMulInteger", ConvertMatMulInteger},
    {"QLinearConv", ConvertQLinearConv},
    {"QLinearMatMul", ConvertQLinearMatMul},
    {"DynamicQuantizeLinear", ConvertDynamicQuantizeLinear},
};

}  // namespace

std::span<const OperatorRow> QuantisedOperators() { return kOperators; }

}  // namespace soter
