// The operators as ONNX has them in opset 17.
#include <cmath>

#include "owner/onnx/export_writer.h"

namespace soter {
namespace {

using Names = std::vector<std::string>;

onnx::AttributeProto& NewAttribute(onnx::NodeProto& node, const std::string& name,
                                   onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

void Set(onnx::NodeProto& node, const std::string& name, int64_t value) {
  NewAttribute(node, name, onnx::AttributeProto::INT).set_i(value);
}
void Set(onnx::NodeProto& node, const std::string& name, float value) {
  NewAttribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}
void Set(onnx::NodeProto& node, const std::string& name, const char* value) {
  NewAttribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}
void Set(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& attribute = NewAttribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
}

void SetWindow(onnx::NodeProto& node, const Window& window, bool has_dilations) {
  Set(node, "kernel_shape", window.kernel);
  Set(node, "strides", window.strides);
  if (has_dilations) Set(node, "dilations", window.dilations);
  if (window.auto_pad != AutoPad::kExplicit) {
    Set(node, "auto_pad", window.auto_pad == AutoPad::kSameUpper ? "SAME_UPPER" : "SAME_LOWER");
    return;
  }
  std::vector<int64_t> pads = window.pads_begin;
  pads.insert(pads.end(), window.pads_end.begin(), window.pads_end.end());
  Set(node, "pads", pads);
}

bool IsOnes(const std::vector<int64_t>& values) {
  for (int64_t value : values) {
    if (value != 1) return false;
  }
  return true;
}

struct UnaryName {
  UnaryKind kind;
  const char* name;
  const char* alpha = nullptr;
  const char* beta = nullptr;
};

// Kinds that are one ONNX operator; the others are written in parts.
constexpr UnaryName kUnaryNames[] = {
    {UnaryKind::kRelu, "Relu"}, {UnaryKind::kLeakyRelu, "LeakyRelu", "alpha"}, {UnaryKind::kSigmoid, "Sigmoid"},
    {UnaryKind::kTanh, "Tanh"}, {UnaryKind::kExp, "Exp"}, {UnaryKind::kLog, "Log"}, {UnaryKind::kSqrt, "Sqrt"},
    {UnaryKind::kReciprocal, "Reciprocal"}, {UnaryKind::kNeg, "Neg"}, {UnaryKind::kAbs, "Abs"},
    {UnaryKind::kErf, "Erf"}, {UnaryKind::kHardSigmoid, "HardSigmoid", "alpha", "beta"},
    {UnaryKind::kHardSwish, "HardSwish"}, {UnaryKind::kElu, "Elu", "alpha"},
    {UnaryKind::kSelu, "Selu", "alpha", "gamma"}, {UnaryKind::kCelu, "Celu", "alpha"},
    {UnaryKind::kSoftplus, "Softplus"}, {UnaryKind::kSoftsign, "Softsign"},
    {UnaryKind::kThresholdedRelu, "ThresholdedRelu", "alpha"}, {UnaryKind::kFloor, "Floor"},
    {UnaryKind::kCeil, "Ceil"}, {UnaryKind::kRound, "Round"}, {UnaryKind::kSign, "Sign"}, {UnaryKind::kNot, "Not"},
    {UnaryKind::kIsNan, "IsNaN"}, {UnaryKind::kSin, "Sin"}, {UnaryKind::kCos, "Cos"}, {UnaryKind::kTan, "Tan"},
    {UnaryKind::kAsin, "Asin"}, {UnaryKind::kAcos, "Acos"}, {UnaryKind::kAtan, "Atan"}, {UnaryKind::kSinh, "Sinh"},
    {UnaryKind::kCosh, "Cosh"}, {UnaryKind::kAsinh, "Asinh"}, {UnaryKind::kAcosh, "Acosh"},
    {UnaryKind::kAtanh, "Atanh"}, {UnaryKind::kIdentity, "Identity"},
};

// OperatorExporter has one overload for each operator; each writes the node, in one part or several.
class OperatorExporter {
 public:
  OperatorExporter(ExportWriter& writer, const Node& node) : w_(writer), node_(node) {}

  Status operator()(const Conv& op) {
    const std::string product = HasTail(3, op.activation) ? w_.Fresh() : Out();
    onnx::NodeProto& conv = w_.AddNode("Conv", {In(0), In(1), In(2)}, product);
    SetWindow(conv, op.window, /*has_dilations=*/true);
    Set(conv, "group", op.groups);
    return Tail(product, 3, op.activation);
  }

  Status operator()(const ConvTranspose& op) {
    const std::string product = HasTail(kNoOperand, op.activation) ? w_.Fresh() : Out();
    onnx::NodeProto& conv = w_.AddNode("ConvTranspose", {In(0), In(1), In(2)}, product);
    SetWindow(conv, op.window, /*has_dilations=*/true);
    Set(conv, "group", op.groups);
    Set(conv, "output_padding", op.output_padding);
    if (!op.output_shape.empty()) Set(conv, "output_shape", op.output_shape);
    return Tail(product, kNoOperand, op.activation);
  }

  // Gemm knows matrices only; a MatMul with the transposed weight takes any rank.
  Status operator()(const Linear& op) {
    const std::string weight = Then("Transpose", {In(1)});
    Set(LastNode(), "perm", std::vector<int64_t>{1, 0});
    const bool has_bias = Has(2), has_tail = HasTail(3, op.activation);
    std::string y = has_bias || has_tail ? w_.Fresh() : Out();
    w_.AddNode("MatMul", {In(0), weight}, y);
    if (has_bias) {
      const std::string sum = has_tail ? w_.Fresh() : Out();
      w_.AddNode("Add", {y, In(2)}, sum);
      y = sum;
    }
    return Tail(y, 3, op.activation);
  }

  Status operator()(const MatMul& op) {
    const std::string a = TRY(SwapLastAxes(0, op.transpose_a)), b = TRY(SwapLastAxes(1, op.transpose_b));
    if (op.alpha == 1.0f) return Plain("MatMul", {a, b});
    return Plain("Mul", {Then("MatMul", {a, b}), Scalar(op.alpha)});
  }

  // A norm whose statistics are 0 and 1.
  Status operator()(const ChannelAffine& op) {
    const Tensor* scale = w_.Constant(node_.inputs[1]);
    if (scale == nullptr) return Unsupported("a scale that is not a constant cannot be exported");
    const std::vector<float> zeros(scale->As<float>().size(), 0.0f), ones(zeros.size(), 1.0f);
    const std::string mean = w_.AddTensor(Tensor::FromValues<float>(scale->shape(), zeros));
    const std::string variance = w_.AddTensor(Tensor::FromValues<float>(scale->shape(), ones));
    const std::string y = HasTail(kNoOperand, op.activation) ? w_.Fresh() : Out();
    Set(w_.AddNode("BatchNormalization", {In(0), In(1), In(2), mean, variance}, y), "epsilon", 0.0f);
    return Tail(y, kNoOperand, op.activation);
  }

  Status operator()(const Unary& op) {
    for (const UnaryName& row : kUnaryNames) {
      if (row.kind != op.kind) continue;
      onnx::NodeProto& node = w_.AddNode(row.name, {In(0)}, Out());
      if (row.alpha != nullptr) Set(node, row.alpha, op.alpha);
      if (row.beta != nullptr) Set(node, row.beta, op.beta);
      return {};
    }
    return UnaryInParts(op);
  }

  Status operator()(const Binary& op) {
    const bool is_mod = op.kind == BinaryKind::kMod || op.kind == BinaryKind::kFmod;
    const std::string y = HasTail(kNoOperand, op.activation) ? w_.Fresh() : Out();
    onnx::NodeProto& node = w_.AddNode(is_mod ? "Mod" : OpName(node_.op), {In(0), In(1)}, y);
    if (op.kind == BinaryKind::kFmod) Set(node, "fmod", int64_t{1});
    return Tail(y, kNoOperand, op.activation);
  }

  Status operator()(const Where&) { return Plain("Where", {In(0), In(1), In(2)}); }

  Status operator()(const Pool& op) {
    if (op.kind != PoolKind::kMax && !IsOnes(op.window.dilations)) {
      return Unsupported("a dilated average in opset 17");
    }
    if (op.kind == PoolKind::kLp && op.ceil_mode) return Unsupported("LpPool with ceil_mode in opset 17");
    onnx::NodeProto& node = w_.AddNode(OpName(node_.op), {In(0)}, Out());
    SetWindow(node, op.window, op.kind == PoolKind::kMax);
    if (op.kind == PoolKind::kLp) Set(node, "p", op.p);
    else Set(node, "ceil_mode", int64_t{op.ceil_mode});
    if (op.kind == PoolKind::kAverage) Set(node, "count_include_pad", int64_t{op.count_include_pad});
    return {};
  }

  Status operator()(const Reduce& op) {
    if (op.spatial) return GlobalPool(op);
    const bool is_arg = op.kind == ReduceKind::kArgMax || op.kind == ReduceKind::kArgMin;
    if (!Has(1) && op.empty_axes_is_noop) return Plain("Identity", {In(0)});
    if (op.kind == ReduceKind::kSum) {
      Set(w_.AddNode("ReduceSum", {In(0), In(1)}, Out()), "keepdims", int64_t{op.keep_dims});
      return {};
    }
    std::vector<int64_t> axes;
    if (Has(1)) axes = TRY(ConstantInts(1));
    onnx::NodeProto& node = w_.AddNode(OpName(node_.op), {In(0)}, Out());
    Set(node, "keepdims", int64_t{op.keep_dims});
    if (is_arg) {
      Set(node, "axis", axes[0]);
      Set(node, "select_last_index", int64_t{op.select_last});
    } else if (!axes.empty()) {
      Set(node, "axes", axes);
    }
    return {};
  }

  Status operator()(const Softmax& op) {
    const char* name = op.log ? "LogSoftmax" : "Softmax";
    if (!op.flatten) return WithAxis(name, {In(0)}, op.axis);
    const std::string rows = Then("Flatten", {In(0)});
    Set(LastNode(), "axis", op.axis);
    const std::string y = Then(name, {rows});
    Set(LastNode(), "axis", int64_t{1});
    return Plain("Reshape", {y, Then("Shape", {In(0)})});
  }

  Status operator()(const LayerNorm& op) {
    if (op.rms || !Has(1)) return LayerNormInParts(op);
    onnx::NodeProto& node = w_.AddNode("LayerNormalization", {In(0), In(1), In(2)}, Out());
    Set(node, "axis", op.axis);
    Set(node, "epsilon", op.epsilon);
    return {};
  }

  // Groups are instances of a tensor with one channel per group.
  Status operator()(const GroupNorm& op) {
    if (op.groups == 0) {
      Set(w_.AddNode("InstanceNormalization", {In(0), In(1), In(2)}, Out()), "epsilon", op.epsilon);
      return {};
    }
    const Tensor* scale = w_.Constant(node_.inputs[1]);
    if (scale == nullptr) return Unsupported("a scale that is not a constant cannot be exported");
    const auto filled = [&](int64_t count, float value) {
      const std::vector<float> values(static_cast<size_t>(count), value);
      return w_.AddTensor(Tensor::FromValues<float>({count}, values));
    };
    const std::string shape = w_.AddTensor(Tensor::FromValues<int64_t>({3}, {0, op.groups, -1}));
    const std::string grouped = Then("Reshape", {In(0), shape});
    const std::string normal = Then("InstanceNormalization", {grouped, filled(op.groups, 1), filled(op.groups, 0)});
    Set(LastNode(), "epsilon", op.epsilon);
    const std::string back = Then("Reshape", {normal, Then("Shape", {In(0)})});
    const int64_t channels = scale->shape()[0];
    const Names operands = {back, In(1), In(2), filled(channels, 0), filled(channels, 1)};
    Set(w_.AddNode("BatchNormalization", operands, Out()), "epsilon", 0.0f);
    return {};
  }

  Status operator()(const Lrn& op) {
    onnx::NodeProto& node = w_.AddNode("LRN", {In(0)}, Out());
    Set(node, "size", op.size);
    Set(node, "alpha", op.alpha);
    Set(node, "beta", op.beta);
    Set(node, "bias", op.bias);
    return {};
  }

  Status operator()(const Reshape& op) {
    onnx::NodeProto& node = w_.AddNode("Reshape", {In(0), In(1)}, Out());
    if (op.allow_zero) Set(node, "allowzero", int64_t{1});
    return {};
  }
  Status operator()(const Flatten& op) { return WithAxis("Flatten", {In(0)}, op.axis); }
  Status operator()(const Squeeze&) { return Plain("Squeeze", {In(0), In(1)}); }
  Status operator()(const Unsqueeze&) { return Plain("Unsqueeze", {In(0), In(1)}); }
  Status operator()(const Transpose& op) {
    onnx::NodeProto& node = w_.AddNode("Transpose", {In(0)}, Out());
    if (!op.perm.empty()) Set(node, "perm", op.perm);
    return {};
  }
  Status operator()(const Concat& op) {
    Names operands;
    for (size_t i = 0; i < node_.inputs.size(); ++i) operands.push_back(In(i));
    return WithAxis("Concat", operands, op.axis);
  }
  Status operator()(const Split& op) {
    onnx::NodeProto& node = w_.AddNode("Split", {In(0), In(1)}, "");
    for (ValueId output : node_.outputs) node.add_output(w_.Name(output));
    Set(node, "axis", op.axis);
    return {};
  }
  Status operator()(const Slice&) { return Plain("Slice", {In(0), In(1), In(2), In(3), In(4)}); }

  Status operator()(const Pad& op) {
    if (op.mode == PadMode::kWrap) return Unsupported("Pad with mode wrap in opset 17");
    if (Has(3)) return Unsupported("Pad with axes in opset 17");
    constexpr const char* kModes[] = {"constant", "reflect", "edge"};
    Set(w_.AddNode("Pad", {In(0), In(1), In(2)}, Out()), "mode", kModes[static_cast<size_t>(op.mode)]);
    return {};
  }

  Status operator()(const Gather& op) {
    return WithAxis(op.elements ? "GatherElements" : "Gather", {In(0), In(1)}, op.axis);
  }
  Status operator()(const Expand&) { return Plain("Expand", {In(0), In(1)}); }
  Status operator()(const Tile&) { return Plain("Tile", {In(0), In(1)}); }

  Status operator()(const Cast& op) {
    constexpr int64_t kTypes[] = {onnx::TensorProto::FLOAT, onnx::TensorProto::DOUBLE, onnx::TensorProto::FLOAT16,
                                  onnx::TensorProto::INT8,  onnx::TensorProto::UINT8,  onnx::TensorProto::INT32,
                                  onnx::TensorProto::INT64, onnx::TensorProto::BOOL};
    Set(w_.AddNode("Cast", {In(0)}, Out()), "to", kTypes[static_cast<size_t>(op.to) - 1]);
    return {};
  }

  Status operator()(const ShapeOf& op) {
    onnx::NodeProto& node = w_.AddNode("Shape", {In(0)}, Out());
    Set(node, "start", op.start);
    if (op.end != INT64_MAX) Set(node, "end", op.end);
    return {};
  }

  // ConstantOfShape wants its value as an attribute; Expand takes it from anywhere.
  Status operator()(const Fill&) {
    const std::string scalar = Then("Reshape", {In(1), w_.AddTensor(Tensor::FromValues<int64_t>({0}, {}))});
    return Plain("Expand", {scalar, In(0)});
  }
  Status operator()(const Range&) { return Plain("Range", {In(0), In(1), In(2)}); }
  Status operator()(const Trilu& op) {
    Set(w_.AddNode("Trilu", {In(0), In(1)}, Out()), "upper", int64_t{op.upper});
    return {};
  }

  Status operator()(const Resize& op) {
    constexpr const char* kModes[] = {"nearest", "linear", "cubic"};
    constexpr const char* kCoordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"};
    constexpr const char* kRoundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    onnx::NodeProto& node = w_.AddNode("Resize", {In(0), "", In(1), In(2)}, Out());
    Set(node, "mode", kModes[static_cast<size_t>(op.mode)]);
    Set(node, "coordinate_transformation_mode", kCoordinates[static_cast<size_t>(op.coordinates)]);
    Set(node, "nearest_mode", kRoundings[static_cast<size_t>(op.rounding)]);
    Set(node, "cubic_coeff_a", op.cubic_a);
    Set(node, "exclude_outside", int64_t{op.exclude_outside});
    return {};
  }

  Status operator()(const CumSum& op) {
    onnx::NodeProto& node = w_.AddNode("CumSum", {In(0), In(1)}, Out());
    Set(node, "exclusive", int64_t{op.exclusive});
    Set(node, "reverse", int64_t{op.reverse});
    return {};
  }

  Status operator()(const TopK& op) {
    onnx::NodeProto& node = w_.AddNode("TopK", {In(0), In(1)}, Out());
    node.add_output(w_.Name(node_.outputs[1]));
    Set(node, "axis", op.axis);
    Set(node, "largest", int64_t{op.largest});
    return {};
  }

  Status operator()(const GatherNd& op) {
    Set(w_.AddNode("GatherND", {In(0), In(1)}, Out()), "batch_dims", op.batch_dims);
    return {};
  }

  Status operator()(const Scatter& op) {
    constexpr const char* kReductions[] = {"none", "add", "mul"};
    if (op.reduction > ScatterReduction::kMul) return Unsupported("a scatter of maxima or minima in opset 17");
    onnx::NodeProto& node = w_.AddNode(op.elements ? "ScatterElements" : "ScatterND", {In(0), In(1), In(2)}, Out());
    if (op.elements) Set(node, "axis", op.axis);
    Set(node, "reduction", kReductions[static_cast<size_t>(op.reduction)]);
    return {};
  }

  Status operator()(const Recurrent&) {
    return Unsupported("a recurrence without the product with its input has no form in ONNX");
  }

  Status operator()(const DepthToSpace& op) {
    onnx::NodeProto& node = w_.AddNode(op.inverse ? "SpaceToDepth" : "DepthToSpace", {In(0)}, Out());
    Set(node, "blocksize", op.block);
    if (!op.inverse) Set(node, "mode", op.column_row_depth ? "CRD" : "DCR");
    return {};
  }

 private:
  static constexpr size_t kNoOperand = SIZE_MAX;

  bool Has(size_t i) const { return i < node_.inputs.size() && node_.inputs[i] != kNoValue; }
  std::string In(size_t i) const { return Has(i) ? w_.Name(node_.inputs[i]) : ""; }
  std::string Out() const { return w_.Name(node_.outputs[0]); }
  std::string Scalar(float value) { return w_.AddTensor(Tensor::FromValues<float>({}, {value})); }
  onnx::NodeProto& LastNode() { return *last_; }

  // Then writes an operator in the middle and returns the name of its result.
  std::string Then(const std::string& op_type, const Names& operands) {
    const std::string y = w_.Fresh();
    last_ = &w_.AddNode(op_type, operands, y);
    return y;
  }

  Status Plain(const std::string& op_type, const Names& operands) {
    w_.AddNode(op_type, operands, Out());
    return {};
  }

  Status WithAxis(const char* op_type, const Names& operands, int64_t axis) {
    Set(w_.AddNode(op_type, operands, Out()), "axis", axis);
    return {};
  }

  // What follows the operator itself: the residual (operand `residual`) and the activation.
  bool HasTail(size_t residual, Activation activation) const {
    return Has(residual) || activation != Activation::kNone;
  }

  Status Tail(std::string y, size_t residual, Activation activation) {
    if (Has(residual)) {
      const std::string sum = activation != Activation::kNone ? w_.Fresh() : Out();
      w_.AddNode("Add", {y, In(residual)}, sum);
      y = sum;
    }
    if (activation == Activation::kRelu) w_.AddNode("Relu", {y}, Out());
    return {};
  }

  Result<std::vector<int64_t>> ConstantInts(size_t i) const {
    const Tensor* tensor = w_.Constant(node_.inputs[i]);
    if (tensor == nullptr) return Unsupported("axes that are computed at run time in opset 17");
    return std::vector<int64_t>(tensor->As<int64_t>().begin(), tensor->As<int64_t>().end());
  }

  Result<std::string> SwapLastAxes(size_t i, bool swap) {
    if (!swap) return In(i);
    const std::optional<size_t> rank = w_.Rank(node_.inputs[i]);
    if (!rank.has_value() || *rank < 2) return Unsupported("a transposed operand of unknown rank");
    std::vector<int64_t> perm(*rank);
    for (size_t axis = 0; axis < perm.size(); ++axis) perm[axis] = static_cast<int64_t>(axis);
    std::swap(perm[*rank - 1], perm[*rank - 2]);
    std::string y = Then("Transpose", {In(i)});
    Set(LastNode(), "perm", perm);
    return y;
  }

  Status GlobalPool(const Reduce& op) {
    if (!op.keep_dims) return Unsupported("global pooling that drops its axes");
    switch (op.kind) {
      case ReduceKind::kMean: return Plain("GlobalAveragePool", {In(0)});
      case ReduceKind::kMax: return Plain("GlobalMaxPool", {In(0)});
      case ReduceKind::kL1:
      case ReduceKind::kL2:
        Set(w_.AddNode("GlobalLpPool", {In(0)}, Out()), "p", int64_t{op.kind == ReduceKind::kL1 ? 1 : 2});
        return {};
      default: return Unsupported("global pooling of this kind");
    }
  }

  Status UnaryInParts(const Unary& op) {
    const std::string x = In(0);
    switch (op.kind) {
      case UnaryKind::kClip: return Plain("Clip", {x, Scalar(op.alpha), Scalar(op.beta)});
      case UnaryKind::kSilu: return Plain("Mul", {x, Then("Sigmoid", {x})});
      case UnaryKind::kMish: {
        const std::string softplus = Then("Softplus", {x});
        return Plain("Mul", {x, Then("Tanh", {softplus})});
      }
      case UnaryKind::kIsInf: {
        onnx::NodeProto& node = w_.AddNode("IsInf", {x}, Out());
        Set(node, "detect_negative", int64_t{op.alpha != 0});
        Set(node, "detect_positive", int64_t{op.beta != 0});
        return {};
      }
      case UnaryKind::kGeluErf: return Gelu(Then("Erf", {Then("Mul", {x, Scalar(static_cast<float>(M_SQRT1_2))})}));
      case UnaryKind::kGeluTanh: {
        const std::string cube = Then("Pow", {x, Scalar(3)});
        const std::string sum = Then("Add", {x, Then("Mul", {cube, Scalar(0.044715f)})});
        const std::string inner = Then("Mul", {sum, Scalar(static_cast<float>(std::sqrt(2 / M_PI)))});
        return Gelu(Then("Tanh", {inner}));
      }
      default: return Unsupported("the operator has no form in opset 17");
    }
  }

  // 0.5 x (1 + f)
  Status Gelu(const std::string& f) {
    const std::string gate = Then("Add", {f, Scalar(1)});
    return Plain("Mul", {Then("Mul", {In(0), gate}), Scalar(0.5f)});
  }

  Status LayerNormInParts(const LayerNorm& op) {
    if (op.axis >= 0) return Unsupported("a norm whose axis counts from the front, without a scale or mean");
    std::vector<int64_t> axes;
    for (int64_t axis = op.axis; axis < 0; ++axis) axes.push_back(axis);
    const auto mean = [&](const std::string& x) {
      std::string y = Then("ReduceMean", {x});
      Set(LastNode(), "axes", axes);
      return y;
    };
    const std::string centred = op.rms ? In(0) : Then("Sub", {In(0), mean(In(0))});
    const std::string variance = mean(Then("Mul", {centred, centred}));
    const std::string deviation = Then("Sqrt", {Then("Add", {variance, Scalar(op.epsilon)})});
    if (!Has(1)) return Plain("Div", {centred, deviation});
    const std::string normal = Then("Div", {centred, deviation});
    if (!Has(2)) return Plain("Mul", {normal, In(1)});
    return Plain("Add", {Then("Mul", {normal, In(1)}), In(2)});
  }

  ExportWriter& w_;
  const Node& node_;
  onnx::NodeProto* last_ = nullptr;
};

}  // namespace

Status ExportNode(ExportWriter& writer, const Node& node) {
  return std::visit(OperatorExporter(writer, node), node.op);
}

}  // namespace soter
