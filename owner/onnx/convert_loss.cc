// Losses, which some exported networks end with: a choice of log-probabilities and a mean.
#include "owner/onnx/compose.h"

namespace soter {
namespace {

struct Reduction {
  bool sum = false, mean = false;
};

Result<Reduction> ReadReduction(const OnnxNode& node) {
  const std::string name = TRY(node.String("reduction", "mean"));
  if (name == "none") return Reduction{};
  if (name == "sum") return Reduction{.sum = true};
  if (name == "mean") return Reduction{.mean = true};
  return Malformed("reduction '" + name + "' is not one of none, sum, mean");
}

// Loss holds one loss and one weight for each target; kNoValue stands for weights that are all one.
struct Loss {
  ValueId loss, weight;
};

// -log_probability[n, target, ...] weight[target], and 0 where target is ignore_index.
Result<Loss> EmitLosses(Conversion& c, const OnnxNode& node, ValueId log_probability) {
  Compose compose(c, node);
  ValueId target = TRY(compose.To(DType::kInt64, TRY(c.Input(node, 1)))), keep = kNoValue;
  if (node.Has("ignore_index")) {
    const ValueId ignored = compose.Int64(TRY(node.Int("ignore_index", 0)));
    keep = TRY(compose.Apply(UnaryKind::kNot, TRY(compose.Apply(BinaryKind::kEqual, target, ignored))));
    target = TRY(compose.Select(keep, target, compose.Int64(0)));
  }
  const ValueId channel = compose.Int64s({1});
  const ValueId index = TRY(compose.Emit(Unsqueeze{}, {target, channel}));
  const ValueId picked = TRY(compose.Emit(Gather{.axis = 1, .elements = true}, {log_probability, index}));
  Loss loss{TRY(compose.Apply(UnaryKind::kNeg, TRY(compose.Emit(Squeeze{}, {picked, channel})))), kNoValue};
  const ValueId weights = TRY(c.OptionalInput(node, 2));
  if (weights != kNoValue) loss.weight = TRY(compose.Emit(Gather{}, {weights, target}));
  if (keep != kNoValue) {
    const ValueId kept = TRY(compose.To(DType::kFloat32, keep));
    loss.weight = weights == kNoValue ? kept : TRY(compose.Apply(BinaryKind::kMul, loss.weight, kept));
  }
  if (loss.weight != kNoValue) loss.loss = TRY(compose.Apply(BinaryKind::kMul, loss.loss, loss.weight));
  return loss;
}

Status EmitLoss(Conversion& c, const OnnxNode& node, ValueId log_probability) {
  const Reduction reduction = TRY(ReadReduction(node));
  const Loss loss = TRY(EmitLosses(c, node, log_probability));
  Compose compose(c, node);
  if (!reduction.sum && !reduction.mean) return c.SetOutput(node, loss.loss);
  if (reduction.mean && loss.weight == kNoValue)
    return c.SetOutput(node, TRY(compose.Reduced(ReduceKind::kMean, loss.loss, kNoValue, false)));
  const ValueId sum = TRY(compose.Reduced(ReduceKind::kSum, loss.loss, kNoValue, false));
  if (reduction.sum) return c.SetOutput(node, sum);
  const ValueId weight = TRY(compose.Reduced(ReduceKind::kSum, loss.weight, kNoValue, false));
  return c.EmitOutput(node, Binary{BinaryKind::kDiv}, {sum, weight});
}

Status ConvertNegativeLogLikelihoodLoss(Conversion& c, const OnnxNode& node) {
  return EmitLoss(c, node, TRY(c.Input(node, 0)));
}

Status ConvertSoftmaxCrossEntropyLoss(Conversion& c, const OnnxNode& node) {
  const Softmax log_softmax{.axis = 1, .log = true};
  const ValueId log_probability = TRY(c.Emit(node, log_softmax, {TRY(c.Input(node, 0))}));
  if (!node.output(1).empty()) c.Bind(node.output(1), log_probability);
  return EmitLoss(c, node, log_probability);
}

constexpr OperatorRow kOperators[] = {
    {"NegativeLogLikelihoodLoss", ConvertNegativeLogLikelihoodLoss},
    {"SoftmaxCrossEntropyLoss", ConvertSoftmaxCrossEntropyLoss},
};

}  // namespace

std::span<const OperatorRow> LossOperators() { return kOperators; }

}  // namespace soter
