// Elementwise operators: one table row each, unless the attributes need more.
#include <limits>

#include "owner/onnx/compose.h"

namespace soter {
namespace {

struct UnaryRow {
  const char* op_type;
  UnaryKind kind;
  const char* alpha_name = nullptr;
  float alpha = 0;
  const char* beta_name = nullptr;
  float beta = 0;
};

constexpr UnaryRow kUnaries[] = {
    {"Relu", UnaryKind::kRelu},
    {"LeakyRelu", UnaryKind::kLeakyRelu, "alpha", 0.01f},
    {"Sigmoid", UnaryKind::kSigmoid},
    {"Tanh", UnaryKind::kTanh},
    {"Exp", UnaryKind::kExp},
    {"Log", UnaryKind::kLog},
    {"Sqrt", UnaryKind::kSqrt},
    {"Reciprocal", UnaryKind::kReciprocal},
    {"Neg", UnaryKind::kNeg},
    {"Abs", UnaryKind::kAbs},
    {"Erf", UnaryKind::kErf},
    {"HardSigmoid", UnaryKind::kHardSigmoid, "alpha", 0.2f, "beta", 0.5f},
    {"HardSwish", UnaryKind::kHardSwish},
    {"Elu", UnaryKind::kElu, "alpha", 1.0f},
    {"Selu", UnaryKind::kSelu, "alpha", 1.67326319217681884765625f, "gamma", 1.05070102214813232421875f},
    {"Celu", UnaryKind::kCelu, "alpha", 1.0f},
    {"Softplus", UnaryKind::kSoftplus},
    {"Softsign", UnaryKind::kSoftsign},
    {"Mish", UnaryKind::kMish},
    {"ThresholdedRelu", UnaryKind::kThresholdedRelu, "alpha", 1.0f},
    {"Floor", UnaryKind::kFloor},
    {"Ceil", UnaryKind::kCeil},
    {"Round", UnaryKind::kRound},
    {"Sign", UnaryKind::kSign},
    {"Not", UnaryKind::kNot},
    {"IsNaN", UnaryKind::kIsNan},
    {"Sin", UnaryKind::kSin},
    {"Cos", UnaryKind::kCos},
    {"Tan", UnaryKind::kTan},
    {"Asin", UnaryKind::kAsin},
    {"Acos", UnaryKind::kAcos},
    {"Atan", UnaryKind::kAtan},
    {"Sinh", UnaryKind::kSinh},
    {"Cosh", UnaryKind::kCosh},
    {"Asinh", UnaryKind::kAsinh},
    {"Acosh", UnaryKind::kAcosh},
    {"Atanh", UnaryKind::kAtanh},
};

Status ConvertUnary(Conversion& c, const OnnxNode& node) {
  for (const UnaryRow& row : kUnaries) {
    if (node.op_type() != row.op_type) continue;
    Unary unary{row.kind};
    if (row.alpha_name != nullptr) unary.alpha = TRY(node.Float(row.alpha_name, row.alpha));
    if (row.beta_name != nullptr) unary.beta = TRY(node.Float(row.beta_name, row.beta));
    return c.EmitOutput(node, unary, {TRY(c.Input(node, 0))});
  }
  CHECK(false, "the operator table and the table of unaries differ");
}

struct BinaryRow {
  const char* op_type;
  BinaryKind kind;
};

constexpr BinaryRow kBinaries[] = {
    {"Add", BinaryKind::kAdd},     {"Sub", BinaryKind::kSub},
    {"Mul", BinaryKind::kMul},     {"Div", BinaryKind::kDiv},
    {"Pow", BinaryKind::kPow},  // of opset 6
    {"PRelu", BinaryKind::kPRelu},
    {"Equal", BinaryKind::kEqual}, {"Less", BinaryKind::kLess},
    {"LessOrEqual", BinaryKind::kLessOrEqual},
    {"Greater", BinaryKind::kGreater},
    {"GreaterOrEqual", BinaryKind::kGreaterOrEqual},
    {"And", BinaryKind::kAnd},     {"Or", BinaryKind::kOr},
    {"Xor", BinaryKind::kXor},
};

// Opset 6 broadcast by attributes: the second operand's axes met the first one's from `axis` on, and without an axis
// at the end, as in NumPy. A PRelu's slopes belonged to the channels.
Result<ValueId> LegacySecondOperand(Conversion& c, const OnnxNode& node, ValueId a, ValueId b) {
  node.Ignore({"broadcast"});
  const bool is_prelu = node.op_type() == "PRelu";
  if (!is_prelu && !node.Has("axis")) return b;
  const Tensor* tensor = c.Constant(b);
  if (tensor == nullptr) {
    return Unsupported("broadcasting along an axis, of an operand computed at run time; export with opset 7 or later");
  }
  if (is_prelu && TRY(ElementCount(tensor->shape())) == 1) return b;
  const int64_t axis = TRY(node.Int("axis", 1)), rank = static_cast<int64_t>(tensor->shape().size());
  if (axis < 0) return Unsupported("a negative axis; export with opset 7 or later");
  Compose compose(c, node);
  const ValueId own = compose.Int64s(tensor->shape()), ones = TRY(compose.RepeatPerAxis(1, a, axis + rank));
  return compose.Emit(Reshape{}, {b, TRY(compose.Emit(Concat{0}, {own, ones}))});
}

Status ConvertBinary(Conversion& c, const OnnxNode& node) {
  const ValueId a = TRY(c.Input(node, 0));
  ValueId b = TRY(c.Input(node, 1));
  if (node.opset() < 7) b = TRY(LegacySecondOperand(c, node, a, b));
  for (const BinaryRow& row : kBinaries) {
    if (node.op_type() == row.op_type) return c.EmitOutput(node, Binary{row.kind}, {a, b});
  }
  CHECK(false, "the operator table and the table of binaries differ");
}

bool IsFloating(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

// The exponent may be of another type than the base, which is the result's; a power of integers with a float is
// computed in float.
Status ConvertPow(Conversion& c, const OnnxNode& node) {
  if (node.opset() < 7) return ConvertBinary(c, node);
  Compose compose(c, node);
  const ValueId base = TRY(c.Input(node, 0)), exponent = TRY(c.Input(node, 1));
  const DType result = compose.TypeOf(base);
  const DType computed = IsFloating(result) ? result : compose.TypeOf(exponent);
  const ValueId a = TRY(compose.To(computed, base)), b = TRY(compose.To(computed, exponent));
  if (computed == result) return c.EmitOutput(node, Binary{BinaryKind::kPow}, {a, b});
  return c.EmitOutput(node, Cast{result}, {TRY(compose.Apply(BinaryKind::kPow, a, b))});
}

Status ConvertMod(Conversion& c, const OnnxNode& node) {
  const BinaryKind kind = TRY(node.Flag("fmod", false)) ? BinaryKind::kFmod : BinaryKind::kMod;
  return c.EmitOutput(node, Binary{kind}, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

// EmitChain folds any number of operands from the left.
Result<ValueId> EmitChain(Conversion& c, const OnnxNode& node, BinaryKind kind) {
  const std::vector<ValueId> inputs = TRY(c.AllInputs(node));
  if (inputs.empty()) return Malformed("has no operands");
  ValueId result = inputs[0];
  for (size_t i = 1; i < inputs.size(); ++i) result = TRY(c.Emit(node, Binary{kind}, {result, inputs[i]}));
  return result;
}

template <BinaryKind kKind>
Status ConvertChain(Conversion& c, const OnnxNode& node) {
  return c.SetOutput(node, TRY(EmitChain(c, node, kKind)));
}

Status ConvertMean(Conversion& c, const OnnxNode& node) {
  const ValueId sum = TRY(EmitChain(c, node, BinaryKind::kAdd));
  const ValueId count = c.builder().AddScalar(static_cast<float>(node.input_count()));
  return c.EmitOutput(node, Binary{BinaryKind::kDiv}, {sum, count});
}

bool IsFloatScalar(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 && tensor->As<float>().size() == 1;
}

Status ConvertClip(Conversion& c, const OnnxNode& node) {
  constexpr float kMost = std::numeric_limits<float>::max();
  Unary clip{UnaryKind::kClip, -kMost, kMost};
  const ValueId x = TRY(c.Input(node, 0));
  if (node.opset() < 11) {
    clip.alpha = TRY(node.Float("min", -kMost));
    clip.beta = TRY(node.Float("max", kMost));
    return c.EmitOutput(node, clip, {x});
  }
  const ValueId low = TRY(c.OptionalInput(node, 1)), high = TRY(c.OptionalInput(node, 2));
  if ((low == kNoValue || IsFloatScalar(c.Constant(low))) && (high == kNoValue || IsFloatScalar(c.Constant(high)))) {
    if (low == kNoValue && high == kNoValue) return c.SetOutput(node, x);
    if (low != kNoValue) clip.alpha = c.Constant(low)->As<float>()[0];
    if (high != kNoValue) clip.beta = c.Constant(high)->As<float>()[0];
    return c.EmitOutput(node, clip, {x});
  }
  // Bounds that are integers or computed at run time.
  ValueId y = x;
  if (low != kNoValue) y = TRY(c.Emit(node, Binary{BinaryKind::kMax}, {y, low}));
  if (high != kNoValue) y = TRY(c.Emit(node, Binary{BinaryKind::kMin}, {y, high}));
  return c.SetOutput(node, y);
}

Result<UnaryKind> ReadGeluForm(const OnnxNode& node) {
  const std::string form = TRY(node.String("approximate", "none"));
  constexpr std::pair<const char*, UnaryKind> kForms[] = {{"none", UnaryKind::kGeluErf},
                                                          {"tanh", UnaryKind::kGeluTanh}};
  for (const auto& [name, kind] : kForms) {
    if (form == name) return kind;
  }
  return Malformed("approximate '" + form + "' is not one of none, tanh");
}

Status ConvertGelu(Conversion& c, const OnnxNode& node) {
  const UnaryKind kind = TRY(ReadGeluForm(node));
  return c.EmitOutput(node, Unary{kind}, {TRY(c.Input(node, 0))});
}

Status ConvertFastGelu(Conversion& c, const OnnxNode& node) {
  ValueId x = TRY(c.Input(node, 0));
  const ValueId bias = TRY(c.OptionalInput(node, 1));
  if (bias != kNoValue) x = TRY(c.Emit(node, Binary{BinaryKind::kAdd}, {x, bias}));
  return c.EmitOutput(node, Unary{UnaryKind::kGeluTanh}, {x});
}

Status ConvertBiasGelu(Conversion& c, const OnnxNode& node) {
  const ValueId x = TRY(c.Input(node, 0)), bias = TRY(c.Input(node, 1));
  const ValueId sum = TRY(c.Emit(node, Binary{BinaryKind::kAdd}, {x, bias}));
  return c.EmitOutput(node, Unary{UnaryKind::kGeluErf}, {sum});
}

Status ConvertIsInf(Conversion& c, const OnnxNode& node) {
  const Unary is_inf{UnaryKind::kIsInf, TRY(node.Flag("detect_negative", true)) ? 1.0f : 0.0f,
                     TRY(node.Flag("detect_positive", true)) ? 1.0f : 0.0f};
  return c.EmitOutput(node, is_inf, {TRY(c.Input(node, 0))});
}

Status ConvertWhere(Conversion& c, const OnnxNode& node) {
  return c.EmitOutput(node, Where{}, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1)), TRY(c.Input(node, 2))});
}

Status ConvertCast(Conversion& c, const OnnxNode& node) {
  node.Ignore({"saturate"});  // of float8, which is refused
  const int32_t to = static_cast<int32_t>(TRY(node.Int("to", 0)));
  const DType dtype = TRY(ImportedDType(to));
  if (WasConverted(to)) c.AddNote("casts to " + DataTypeName(to) + " are casts to float32");
  return c.EmitOutput(node, Cast{dtype}, {TRY(c.Input(node, 0))});
}

std::vector<OperatorRow> MakeOperators() {
  std::vector<OperatorRow> rows = {
      {"Pow", ConvertPow},   {"Mod", ConvertMod},
      {"Max", ConvertChain<BinaryKind::kMax>},   {"Min", ConvertChain<BinaryKind::kMin>},
      {"Sum", ConvertChain<BinaryKind::kAdd>},   {"Mean", ConvertMean},   {"Clip", ConvertClip},
      {"Gelu", ConvertGelu}, {"IsInf", ConvertIsInf}, {"Where", ConvertWhere},
      {"Cast", ConvertCast}, {"Gelu", ConvertGelu, "com.microsoft"},
      {"FastGelu", ConvertFastGelu, "com.microsoft"},
      {"BiasGelu", ConvertBiasGelu, "com.microsoft"},
  };
  for (const UnaryRow& row : kUnaries) rows.push_back({row.op_type, ConvertUnary});
  for (const BinaryRow& row : kBinaries) rows.push_back({row.op_type, ConvertBinary});
  return rows;
}

}  // namespace

std::span<const OperatorRow> ElementwiseOperators() {
  static const auto* const kOperators = new std::vector<OperatorRow>(MakeOperators());
  return *kOperators;
}

}  // namespace soter
