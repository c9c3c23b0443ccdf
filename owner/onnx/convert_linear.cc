// Convolutions and matrix products.
#include "owner/onnx/convert.h"
#include "owner/onnx/window.h"

namespace soter {
namespace {

Result<std::vector<int64_t>> KernelOf(const Tensor& weight) {
  const Shape& shape = weight.shape();
  if (shape.size() < 3 || shape.size() > 5) {
    return Unsupported("a weight of shape " + ShapeString(shape) + "; supported are 1 to 3 spatial axes");
  }
  return std::vector<int64_t>(shape.begin() + 2, shape.end());
}

// The operands x, weight, bias?; weight and bias are constants.
Result<std::vector<ValueId>> ConvOperands(const Conversion& c, const OnnxNode& node) {
  std::vector<ValueId> operands = {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))};
  const ValueId bias = TRY(c.OptionalInput(node, 2));
  if (bias == kNoValue) return operands;
  TRY(c.ConstantInput(node, 2));
  operands.push_back(bias);
  return operands;
}

Status ConvertConv(Conversion& c, const OnnxNode& node) {
  const Tensor* weight = TRY(c.ConstantInput(node, 1));
  Conv conv;
  const std::vector<int64_t> kernel = TRY(KernelOf(*weight));
  conv.window = TRY(ReadWindow(node, kernel));
  conv.groups = TRY(node.Int("group", 1));
  return c.EmitOutput(node, std::move(conv), TRY(ConvOperands(c, node)));
}

Status ConvertConvTranspose(Conversion& c, const OnnxNode& node) {
  const Tensor* weight = TRY(c.ConstantInput(node, 1));
  ConvTranspose conv;
  const std::vector<int64_t> kernel = TRY(KernelOf(*weight));
  conv.window = TRY(ReadWindow(node, kernel));
  conv.groups = TRY(node.Int("group", 1));
  conv.output_padding = TRY(node.Ints("output_padding"));
  if (conv.output_padding.empty()) conv.output_padding.assign(conv.window.kernel.size(), 0);
  conv.output_shape = TRY(node.Ints("output_shape"));
  if (conv.output_shape.size() == conv.window.kernel.size() + 2) {  // some exporters give all of y's shape
    conv.output_shape.erase(conv.output_shape.begin(), conv.output_shape.begin() + 2);
  }
  return c.EmitOutput(node, std::move(conv), TRY(ConvOperands(c, node)));
}

// LinearWeight returns the weight [n, k] of a product with the constant `b`, which is [k, n] unless `transposed`.
Result<ValueId> LinearWeight(Conversion& c, const OnnxNode& node, ValueId b, bool transposed, float alpha) {
  ValueId weight = b;
  if (!transposed) weight = TRY(c.Emit(node, Transpose{{1, 0}}, {weight}));
  if (alpha != 1.0f) weight = TRY(c.Emit(node, Binary{BinaryKind::kMul}, {weight, c.builder().AddScalar(alpha)}));
  if (c.Constant(weight) == nullptr) return Unsupported("a weight that is neither float32 nor convertible to it");
  return weight;
}

bool IsMatrix(const Tensor* tensor) {
  return tensor != nullptr && tensor->shape().size() == 2 && tensor->dtype() == DType::kFloat32;
}

Status ConvertMatMul(Conversion& c, const OnnxNode& node) {
  const ValueId a = TRY(c.Input(node, 0)), b = TRY(c.Input(node, 1));
  // A product of two constants is left as one: evaluating it is no business of the importer.
  if (!IsMatrix(c.Constant(b)) || c.Constant(a) != nullptr) return c.EmitOutput(node, MatMul{}, {a, b});
  return c.EmitOutput(node, Linear{}, {a, TRY(LinearWeight(c, node, b, false, 1.0f))});
}

Status ConvertFusedMatMul(Conversion& c, const OnnxNode& node) {
  MatMul op;
  op.transpose_a = TRY(node.Flag("transA", false));
  op.transpose_b = TRY(node.Flag("transB", false));
  op.alpha = TRY(node.Float("alpha", 1.0f));
  if (TRY(node.Flag("transBatchA", false)) || TRY(node.Flag("transBatchB", false))) {
    return Unsupported("transBatchA and transBatchB are not supported");
  }
  return c.EmitOutput(node, op, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))});
}

// GemmBias returns beta * c as a bias [n], or kNoValue when its shape is not one that a bias can have.
Result<ValueId> GemmBias(Conversion& c, const OnnxNode& node, ValueId addend, float beta, int64_t n) {
  const Tensor* tensor = c.Constant(addend);
  if (tensor == nullptr || tensor->dtype() != DType::kFloat32) return kNoValue;
  const Shape& shape = tensor->shape();
  const int64_t count = TRY(ElementCount(shape));
  const bool is_row = (shape.empty() || shape.back() == count) && (count == n || count == 1) && shape.size() <= 2;
  if (!is_row) return kNoValue;
  ValueId bias = addend;
  if (beta != 1.0f) bias = TRY(c.Emit(node, Binary{BinaryKind::kMul}, {bias, c.builder().AddScalar(beta)}));
  if (shape == Shape{n}) return bias;
  std::vector<float> row(static_cast<size_t>(n));
  const std::span<const float> from = c.Constant(bias)->As<float>();
  for (size_t i = 0; i < row.size(); ++i) row[i] = from[from.size() == 1 ? 0 : i];
  return c.builder().AddConstant(Tensor::FromValues<float>({n}, row));
}

struct GemmAttributes {
  bool transpose_a, transpose_b;
  float alpha, beta;
};

// y = product + beta * addend, for an addend that is no bias.
Status EmitGemmAddend(Conversion& c, const OnnxNode& node, ValueId product, ValueId addend, float beta) {
  if (beta != 1.0f) addend = TRY(c.Emit(node, Binary{BinaryKind::kMul}, {addend, c.builder().AddScalar(beta)}));
  return c.EmitOutput(node, Binary{BinaryKind::kAdd}, {product, addend});
}

Status EmitGemmAsLinear(Conversion& c, const OnnxNode& node, GemmAttributes gemm, ValueId a, ValueId b,
                        ValueId addend) {
  const ValueId weight = TRY(LinearWeight(c, node, b, gemm.transpose_b, gemm.alpha));
  if (gemm.transpose_a) a = TRY(c.Emit(node, Transpose{{1, 0}}, {a}));
  if (addend == kNoValue || gemm.beta == 0.0f) return c.EmitOutput(node, Linear{}, {a, weight});
  const int64_t n = c.Constant(weight)->shape()[0];
  const ValueId bias = TRY(GemmBias(c, node, addend, gemm.beta, n));
  if (bias != kNoValue) return c.EmitOutput(node, Linear{}, {a, weight, bias});
  const ValueId y = TRY(c.Emit(node, Linear{}, {a, weight}));
  return EmitGemmAddend(c, node, y, addend, gemm.beta);
}

Status ConvertGemm(Conversion& c, const OnnxNode& node) {
  const ValueId a = TRY(c.Input(node, 0)), b = TRY(c.Input(node, 1));
  const ValueId addend = TRY(c.OptionalInput(node, 2));
  const GemmAttributes gemm{TRY(node.Flag("transA", false)), TRY(node.Flag("transB", false)),
                            TRY(node.Float("alpha", 1.0f)), TRY(node.Float("beta", 1.0f))};
  node.Ignore({"broadcast"});  // of opset 6, which some files still carry; broadcasting is always allowed now
  if (IsMatrix(c.Constant(b))) return EmitGemmAsLinear(c, node, gemm, a, b, addend);
  const MatMul product{gemm.transpose_a, gemm.transpose_b, gemm.alpha};
  if (addend == kNoValue || gemm.beta == 0.0f) return c.EmitOutput(node, product, {a, b});
  const ValueId y = TRY(c.Emit(node, product, {a, b}));
  return EmitGemmAddend(c, node, y, addend, gemm.beta);
}

constexpr OperatorRow kOperators[] = {
    {"Conv", ConvertConv},
    {"ConvTranspose", ConvertConvTranspose},
    {"Gemm", ConvertGemm},
    {"MatMul", ConvertMatMul},
    {"FusedMatMul", ConvertFusedMatMul, "com.microsoft"},
};

}  // namespace

std::span<const OperatorRow> LinearOperators() { return kOperators; }

}  // namespace soter
