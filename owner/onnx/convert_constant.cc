// Constants, operators that do nothing in inference, and quantisation steps, which import undoes.
#include "owner/onnx/convert.h"

namespace soter {
namespace {

template <typename T>
Status SetConstant(Conversion& c, const OnnxNode& node, Shape shape, const std::vector<T>& values) {
  c.Bind(node.output(0), c.builder().AddConstant(Tensor::FromValues<T>(std::move(shape), values)));
  return {};
}

Status ConvertConstant(Conversion& c, const OnnxNode& node) {
  onnx::TensorProto* proto = TRY(node.Tensor("value"));
  if (proto != nullptr) {
    c.Bind(node.output(0), c.builder().AddConstant(TRY(c.tensors().Read(proto))));
    return {};
  }
  if (node.Has("value_float")) return SetConstant<float>(c, node, {}, {TRY(node.Float("value_float", 0))});
  if (node.Has("value_int")) return SetConstant<int64_t>(c, node, {}, {TRY(node.Int("value_int", 0))});
  if (node.Has("value_floats")) {
    const std::vector<float> values = TRY(node.Floats("value_floats"));
    return SetConstant<float>(c, node, {static_cast<int64_t>(values.size())}, values);
  }
  if (node.Has("value_ints")) {
    const std::vector<int64_t> values = TRY(node.Ints("value_ints"));
    return SetConstant<int64_t>(c, node, {static_cast<int64_t>(values.size())}, values);
  }
  if (node.Has("sparse_value")) return Unsupported("a sparse constant; store it as a dense tensor");
  if (node.Has("value_string") || node.Has("value_strings")) return Unsupported("a constant of strings");
  return Malformed("has no value");
}

Status ConvertIdentity(Conversion& c, const OnnxNode& node) { return c.SetOutput(node, TRY(c.Input(node, 0))); }

// Whether elements are dropped: in training mode, unless their share is zero.
Result<bool> DropsElements(const Conversion& c, const OnnxNode& node) {
  if (TRY(c.OptionalInput(node, 2)) == kNoValue) return false;
  const Tensor* flag = TRY(c.ConstantInput(node, 2));
  if (flag->dtype() != DType::kBool || flag->bytes().size() != 1) return Malformed("training_mode must be one bool");
  if (!flag->As<bool>()[0]) return false;
  const ValueId ratio = TRY(c.OptionalInput(node, 1));
  const Tensor* share = ratio == kNoValue ? nullptr : c.Constant(ratio);
  const bool is_zero = share != nullptr && share->dtype() == DType::kFloat32 && share->As<float>().size() == 1 &&
                       share->As<float>()[0] == 0;
  return !is_zero;
}

Status ConvertDropout(Conversion& c, const OnnxNode& node) {
  node.Ignore({"ratio", "seed", "is_test"});
  if (TRY(DropsElements(c, node))) return Unsupported("training mode; export the model for inference");
  const ValueId x = TRY(c.Input(node, 0));
  if (!node.output(1).empty()) {  // the mask of what was kept
    const ValueId kept = c.builder().AddConstant(Tensor::FromValues<bool>({}, {true}));
    c.Bind(node.output(1), TRY(c.Emit(node, Fill{}, {TRY(c.Emit(node, ShapeOf{}, {x})), kept})));
  }
  return c.SetOutput(node, x);
}

Result<std::vector<float>> AsFloats(const Tensor& tensor) {
  const auto widen = [](auto values) { return std::vector<float>(values.begin(), values.end()); };
  switch (tensor.dtype()) {
    case DType::kInt8: return widen(tensor.As<int8_t>());
    case DType::kUint8: return widen(tensor.As<uint8_t>());
    case DType::kInt32: return widen(tensor.As<int32_t>());
    case DType::kFloat32: return widen(tensor.As<float>());
    default: return Unsupported("quantised values of type " + std::string(DTypeName(tensor.dtype())));
  }
}

Result<std::vector<float>> FloatsInput(const Conversion& c, const OnnxNode& node, size_t i) {
  const Tensor* tensor = TRY(c.ConstantInput(node, i));
  return AsFloats(*tensor);
}

// Scales x [outer, axis, inner] by one factor, or by one for each index along the axis.
Result<Tensor> Dequantise(const Tensor& x, std::span<const float> scale, std::span<const float> zero, int64_t axis) {
  const int64_t rank = static_cast<int64_t>(x.shape().size());
  if (axis < 0) axis += rank;
  size_t inner = 1;
  if (scale.size() != 1) {
    if (axis < 0 || axis >= rank || x.shape()[axis] != static_cast<int64_t>(scale.size())) {
      return Malformed("its scale has " + std::to_string(scale.size()) + " entries, which does not fit the axis");
    }
    for (int64_t i = axis + 1; i < rank; ++i) inner *= static_cast<size_t>(x.shape()[i]);
  }
  const std::vector<float> values = TRY(AsFloats(x));
  Tensor result = TRY(Tensor::Allocate({DType::kFloat32, x.shape()}));
  const std::span<float> out = result.MutableAs<float>();
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t at = i / inner % scale.size();
    out[i] = (values[i] - (zero.empty() ? 0.0f : zero[at])) * scale[at];
  }
  return result;
}

Status ConvertDequantizeLinear(Conversion& c, const OnnxNode& node) {
  const int64_t axis = TRY(node.Int("axis", 1));
  if (TRY(node.Int("block_size", 0)) != 0) return Unsupported("quantisation in blocks is not supported");
  if (c.IsQuantized(node.input(0))) {
    c.AddNote("quantisation of activations is left out: they stay float32");
    return c.SetOutput(node, c.Lookup(node.input(0)));
  }
  const Tensor* x = TRY(c.ConstantInput(node, 0));
  const std::vector<float> scale = TRY(FloatsInput(c, node, 1));
  std::vector<float> zero;
  if (TRY(c.OptionalInput(node, 2)) != kNoValue) zero = TRY(FloatsInput(c, node, 2));
  if (scale.empty() || (!zero.empty() && zero.size() != scale.size())) {
    return Malformed("its scale and zero point have different lengths");
  }
  c.AddNote("quantised weights are dequantised to float32");
  c.Bind(node.output(0), c.builder().AddConstant(TRY(Dequantise(*x, scale, zero, axis))));
  return {};
}

constexpr OperatorRow kOperators[] = {
    {"Constant", ConvertConstant},
    {"Identity", ConvertIdentity},
    {"Dropout", ConvertDropout},
    {"DequantizeLinear", ConvertDequantizeLinear},
};

}  // namespace

std::span<const OperatorRow> ConstantOperators() { return kOperators; }

}  // namespace soter
