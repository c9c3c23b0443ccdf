// Operators that move elements or compute shapes.
#include <algorithm>

#include "owner/onnx/convert.h"

namespace soter {
namespace {

Status ConvertReshape(Conversion& c, const OnnxNode& node) {
  const Reshape reshape{TRY(node.Flag("allowzero", false))};
  return c.EmitOutput(node, reshape, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

Status ConvertFlatten(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Flatten{TRY(node.Int("axis", 1))}, {TRY(c.Input(node, 0))});
}

// x and, from opset 13 on as an operand and before that as an attribute, axes.
Result<std::vector<ValueId>> WithAxes(Conversion& c, const OnnxNode& node) {
  std::vector<ValueId> operands = {TRY(c.Input(node, 0))};
  if (node.opset() >= 13) {
    const ValueId axes = TRY(c.Int64Input(node, 1));
    if (axes != kNoValue) operands.push_back(axes);
    return operands;
  }
  const std::vector<int64_t> axes = TRY(node.Ints("axes"));
  if (!axes.empty()) operands.push_back(c.builder().AddInt64s(axes));
  return operands;
}

Status ConvertSqueeze(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Squeeze{}, TRY(WithAxes(c, node)));
}

Status ConvertUnsqueeze(Conversion& c, const OnnxNode& node) {
  std::vector<ValueId> operands = TRY(WithAxes(c, node));
  if (operands.size() < 2) return Malformed("axes are missing");
  return c.EmitOutput(node, Unsqueeze{}, std::move(operands));
}

Status ConvertTranspose(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Transpose{TRY(node.Ints("perm"))}, {TRY(c.Input(node, 0))});
}

Status ConvertConcat(Conversion& c, const OnnxNode& node) {
  if (!node.Has("axis")) return Malformed("attribute 'axis' is missing");
  const Concat concat{TRY(node.Int("axis", 0))};
  std::vector<ValueId> inputs = TRY(c.AllInputs(node));
  if (inputs.empty()) return Malformed("has no operands");
  return c.EmitOutput(node, concat, std::move(inputs));
}

Status ConvertSplit(Conversion& c, const OnnxNode& node) {
  const Split split{TRY(node.Int("axis", 0))};
  const int64_t parts = TRY(node.Int("num_outputs", static_cast<int64_t>(node.output_count())));
  if (parts != static_cast<int64_t>(node.output_count())) return Malformed("num_outputs differs from its outputs");
  std::vector<ValueId> operands = {TRY(c.Input(node, 0))};
  if (node.opset() >= 13) {
    const ValueId sizes = TRY(c.Int64Input(node, 1));
    if (sizes != kNoValue) operands.push_back(sizes);
  } else {
    const std::vector<int64_t> sizes = TRY(node.Ints("split"));
    if (!sizes.empty()) operands.push_back(c.builder().AddInt64s(sizes));
  }
  const auto outputs = c.builder().EmitMany(node.name(), split, std::move(operands), node.output_count());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!node.output(i).empty()) c.Bind(node.output(i), outputs[i]);
  }
  return {};
}

Status ConvertSlice(Conversion& c, const OnnxNode& node) {
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() >= 10) {
    if (TRY(c.OptionalInput(node, 1)) == kNoValue || TRY(c.OptionalInput(node, 2)) == kNoValue) {
      return Malformed("starts or ends are missing");
    }
    std::vector<ValueId> operands = {x};
    for (size_t i = 1; i < node.input_count(); ++i) operands.push_back(TRY(c.Int64Input(node, i)));
    return c.EmitOutput(node, Slice{}, std::move(operands));
  }
  const std::vector<int64_t> starts = TRY(node.Ints("starts")), ends = TRY(node.Ints("ends"));
  std::vector<ValueId> operands = {x, c.builder().AddInt64s(starts), c.builder().AddInt64s(ends)};
  const std::vector<int64_t> axes = TRY(node.Ints("axes"));
  if (!axes.empty()) operands.push_back(c.builder().AddInt64s(axes));
  return c.EmitOutput(node, Slice{}, std::move(operands));
}

Result<PadMode> ReadPadMode(const OnnxNode& node) {
  const std::string mode = TRY(node.String("mode", "constant"));
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  return Malformed("mode '" + mode + "' is not one of constant, reflect, edge, wrap");
}

Status ConvertPad(Conversion& c, const OnnxNode& node) {
  const Pad pad{TRY(ReadPadMode(node))};
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() >= 11) {
    if (TRY(c.OptionalInput(node, 1)) == kNoValue) return Malformed("pads are missing");
    std::vector<ValueId> operands = {x, TRY(c.Int64Input(node, 1))};
    if (node.input_count() > 2) operands.push_back(TRY(c.OptionalInput(node, 2)));
    if (node.input_count() > 3) operands.push_back(TRY(c.Int64Input(node, 3)));
    return c.EmitOutput(node, pad, std::move(operands));
  }
  const std::vector<int64_t> pads = TRY(node.Ints("pads"));
  const float value = TRY(node.Float("value", 0.0f));
  std::vector<ValueId> operands = {x, c.builder().AddInt64s(pads)};
  if (value != 0.0f) operands.push_back(c.builder().AddScalar(value));
  return c.EmitOutput(node, pad, std::move(operands));
}

Status EmitGather(Conversion& c, const OnnxNode& node, bool elements) {
  const Gather gather{TRY(node.Int("axis", 0)), elements};
  return c.EmitOutput(node, gather, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

Status ConvertGather(Conversion& c, const OnnxNode& node) { return EmitGather(c, node, /*elements=*/false); }
Status ConvertGatherElements(Conversion& c, const OnnxNode& node) { return EmitGather(c, node, /*elements=*/true); }

Status ConvertExpand(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Expand{}, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

Status ConvertTile(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Tile{}, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

Status ConvertShape(Conversion& c, const OnnxNode& node) {
  const ShapeOf shape{TRY(node.Int("start", 0)), TRY(node.Int("end", INT64_MAX))};
  return c.EmitOutput(node, shape, {TRY(c.Input(node, 0))});
}

Status ConvertSize(Conversion& c, const OnnxNode& node) {
  const ValueId shape = TRY(c.Emit(node, ShapeOf{}, {TRY(c.Input(node, 0))}));
  return c.EmitOutput(node, Reduce{.kind = ReduceKind::kProd, .keep_dims = false}, {shape});
}

Status ConvertConstantOfShape(Conversion& c, const OnnxNode& node) {
  onnx::TensorProto* proto = TRY(node.Tensor("value"));
  const ValueId value = proto == nullptr ? c.builder().AddScalar(0.0f)
                                         : c.builder().AddConstant(TRY(c.tensors().Read(proto)));
  if (TRY(ElementCount(c.Constant(value)->shape())) != 1) return Malformed("attribute 'value' must hold one element");
  return c.EmitOutput(node, Fill{}, {TRY(c.Input(node, 0)), value});
}

Status ConvertRange(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Range{}, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1)), TRY(c.Input(node, 2))});
}

Status ConvertTrilu(Conversion& c, const OnnxNode& node) {
  std::vector<ValueId> operands = {TRY(c.Input(node, 0))};
  const ValueId k = TRY(c.OptionalInput(node, 1));
  if (k != kNoValue) operands.push_back(k);
  return c.EmitOutput(node, Trilu{TRY(node.Flag("upper", true))}, std::move(operands));
}

constexpr OperatorRow kOperators[] = {
    {"Reshape", ConvertReshape},
    {"Flatten", ConvertFlatten},
    {"Squeeze", ConvertSqueeze},
    {"Unsqueeze", ConvertUnsqueeze},
    {"Transpose", ConvertTranspose},
    {"Concat", ConvertConcat},
    {"Split", ConvertSplit},
    {"Slice", ConvertSlice},
    {"Pad", ConvertPad},
    {"Gather", ConvertGather},
    {"GatherElements", ConvertGatherElements},
    {"Expand", ConvertExpand},
    {"Tile", ConvertTile},
    {"Shape", ConvertShape},
    {"Size", ConvertSize},
    {"ConstantOfShape", ConvertConstantOfShape},
    {"Range", ConvertRange},
    {"Trilu", ConvertTrilu},
};

}  // namespace

std::span<const OperatorRow> ShapeOperators() { return kOperators; }

}  // namespace soter
