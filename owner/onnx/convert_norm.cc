// Normalisations.
#include <cmath>

#include "owner/onnx/compose.h"

namespace soter {
namespace {

// Inference uses one output; a further one that somebody reads would be a training statistic.
Status RequireOneOutput(const OnnxNode& node) {
  for (size_t i = 1; i < node.output_count(); ++i) {
    if (node.output(i).empty()) continue;
    return Unsupported("output " + std::to_string(i) + " is not supported, only output 0");
  }
  return {};
}

Result<std::span<const float>> ChannelParameter(const Conversion& c, const OnnxNode& node, size_t i) {
  const Tensor* tensor = TRY(c.ConstantInput(node, i));
  if (tensor->dtype() != DType::kFloat32 || tensor->shape().size() != 1) {
    return Malformed("operand " + std::to_string(i) + " is " + TypeString(tensor->type()) + ", expected float32[c]");
  }
  return tensor->As<float>();
}

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta, per channel, is x * scale + shift.
Status ConvertBatchNormalization(Conversion& c, const OnnxNode& node) {
  const float epsilon = TRY(node.Float("epsilon", 1e-5f));
  node.Ignore({"momentum", "is_test"});  // the latter of opset 6
  if (TRY(node.Flag("training_mode", false))) return Unsupported("training mode; export the model for inference");
  if (TRY(node.Int("spatial", 1)) != 1) return Unsupported("spatial = 0; only statistics per channel are supported");
  TRY(RequireOneOutput(node));
  const auto gamma = TRY(ChannelParameter(c, node, 1)), beta = TRY(ChannelParameter(c, node, 2));
  const auto mean = TRY(ChannelParameter(c, node, 3)), variance = TRY(ChannelParameter(c, node, 4));
  if (beta.size() != gamma.size() || mean.size() != gamma.size() || variance.size() != gamma.size()) {
    return Malformed("its parameters have different lengths");
  }
  std::vector<float> scale(gamma.size()), shift(gamma.size());
  for (size_t i = 0; i < gamma.size(); ++i) {
    const double factor = gamma[i] / std::sqrt(static_cast<double>(variance[i]) + epsilon);
    scale[i] = static_cast<float>(factor);
    shift[i] = static_cast<float>(beta[i] - mean[i] * factor);
  }
  const int64_t channels = static_cast<int64_t>(gamma.size());
  const ValueId scale_value = c.builder().AddConstant(Tensor::FromValues<float>({channels}, scale));
  const ValueId shift_value = c.builder().AddConstant(Tensor::FromValues<float>({channels}, shift));
  return c.EmitOutput(node, ChannelAffine{}, {TRY(c.Input(node, 0)), scale_value, shift_value});
}

Status ConvertInstanceNormalization(Conversion& c, const OnnxNode& node) {
  const GroupNorm norm{.groups = 0, .epsilon = TRY(node.Float("epsilon", 1e-5f))};
  return c.EmitOutput(node, norm, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1)), TRY(c.Input(node, 2))});
}

Status ConvertGroupNormalization(Conversion& c, const OnnxNode& node) {
  if (node.opset() < 21) return Unsupported("one scale per group; supported from opset 21 on, with one per channel");
  node.Ignore({"stash_type"});  // everything is computed in float32
  const GroupNorm norm{TRY(node.Int("num_groups", 0)), TRY(node.Float("epsilon", 1e-5f))};
  if (norm.groups <= 0) return Malformed("attribute 'num_groups' must be positive");
  return c.EmitOutput(node, norm, {TRY(c.Input(node, 0)), TRY(c.Input(node, 1)), TRY(c.Input(node, 2))});
}

// Outputs 1 and 2: the mean and 1 / sqrt(variance + epsilon), which only training reads otherwise.
Status EmitStatistics(Conversion& c, const OnnxNode& node, const LayerNorm& norm) {
  if (node.output(1).empty() && node.output(2).empty()) return {};
  Compose compose(c, node);
  const ValueId x = TRY(c.Input(node, 0)), axes = TRY(compose.AxesFrom(x, norm.axis));
  const ValueId mean = TRY(compose.Reduced(ReduceKind::kMean, x, axes, true));
  if (!node.output(1).empty()) c.Bind(node.output(1), mean);
  if (node.output(2).empty()) return {};
  const ValueId centred = TRY(compose.Apply(BinaryKind::kSub, x, mean));
  const ValueId square = TRY(compose.Apply(BinaryKind::kMul, centred, centred));
  const ValueId variance = TRY(compose.Reduced(ReduceKind::kMean, square, axes, true));
  const ValueId guarded = TRY(compose.Apply(BinaryKind::kAdd, variance, c.builder().AddScalar(norm.epsilon)));
  const ValueId deviation = TRY(compose.Apply(UnaryKind::kSqrt, guarded));
  c.Bind(node.output(2), TRY(compose.Apply(UnaryKind::kReciprocal, deviation)));
  return {};
}

Status EmitLayerNorm(Conversion& c, const OnnxNode& node, bool rms) {
  node.Ignore({"stash_type"});
  if (rms) TRY(RequireOneOutput(node));
  const LayerNorm norm{TRY(node.Int("axis", -1)), TRY(node.Float("epsilon", 1e-5f)), rms};
  TRY(EmitStatistics(c, node, norm));
  std::vector<ValueId> operands = {TRY(c.Input(node, 0)), TRY(c.Input(node, 1))};
  const ValueId bias = TRY(c.OptionalInput(node, 2));
  if (bias != kNoValue) operands.push_back(bias);
  return c.EmitOutput(node, norm, std::move(operands));
}

Status ConvertLayerNormalization(Conversion& c, const OnnxNode& node) {
  return EmitLayerNorm(c, node, /*rms=*/false);
}

Status ConvertSimplifiedLayerNormalization(Conversion& c, const OnnxNode& node) {
  return EmitLayerNorm(c, node, /*rms=*/true);
}

Status ConvertLrn(Conversion& c, const OnnxNode& node) {
  const Lrn lrn{TRY(node.Int("size", 0)), TRY(node.Float("alpha", 1e-4f)), TRY(node.Float("beta", 0.75f)),
                TRY(node.Float("bias", 1.0f))};
  if (lrn.size <= 0) return Malformed("attribute 'size' must be positive");
  return c.EmitOutput(node, lrn, {TRY(c.Input(node, 0))});
}

// x / ||x|| along one axis.
Status ConvertLpNormalization(Conversion& c, const OnnxNode& node) {
  const int64_t p = TRY(node.Int("p", 2));
  if (p != 1 && p != 2) return Malformed("attribute 'p' is " + std::to_string(p) + ", expected 1 or 2");
  const ValueId x = TRY(c.Input(node, 0));
  const ValueId axis = c.builder().AddInt64s({TRY(node.Int("axis", -1))});
  const ValueId norm = TRY(c.Emit(node, Reduce{p == 1 ? ReduceKind::kL1 : ReduceKind::kL2}, {x, axis}));
  return c.EmitOutput(node, Binary{BinaryKind::kDiv}, {x, norm});
}

// (x - mean) / sqrt(mean(x^2) - mean^2), as ONNX defines it.
Status ConvertMeanVarianceNormalization(Conversion& c, const OnnxNode& node) {
  std::vector<int64_t> axes = TRY(node.Ints("axes"));
  if (axes.empty()) axes = {0, 2, 3};
  const ValueId x = TRY(c.Input(node, 0)), over = c.builder().AddInt64s(axes);
  const ValueId mean = TRY(c.Emit(node, Reduce{ReduceKind::kMean}, {x, over}));
  const ValueId centred = TRY(c.Emit(node, Binary{BinaryKind::kSub}, {x, mean}));
  const ValueId square = TRY(c.Emit(node, Binary{BinaryKind::kMul}, {centred, centred}));
  const ValueId variance = TRY(c.Emit(node, Reduce{ReduceKind::kMean}, {square, over}));
  const ValueId deviation = TRY(c.Emit(node, Unary{UnaryKind::kSqrt}, {variance}));
  const ValueId guarded = TRY(c.Emit(node, Binary{BinaryKind::kAdd}, {deviation, c.builder().AddScalar(1e-9f)}));
  return c.EmitOutput(node, Binary{BinaryKind::kDiv}, {centred, guarded});
}

constexpr OperatorRow kOperators[] = {
    {"BatchNormalization", ConvertBatchNormalization},
    {"InstanceNormalization", ConvertInstanceNormalization},
    {"GroupNormalization", ConvertGroupNormalization},
    {"LayerNormalization", ConvertLayerNormalization},
    {"SimplifiedLayerNormalization", ConvertSimplifiedLayerNormalization},
    {"LRN", ConvertLrn},
    {"LpNormalization", ConvertLpNormalization},
    {"MeanVarianceNormalization", ConvertMeanVarianceNormalization},
};

}  // namespace

std::span<const OperatorRow> NormOperators() { return kOperators; }

}  // namespace soter
