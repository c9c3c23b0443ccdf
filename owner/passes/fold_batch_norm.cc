#include <algorithm>

#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

// The operand a ChannelAffine is folded into, and how its weight is laid out.
struct Target {
  const Node* node = nullptr;
  int64_t outputs = 0;  // m
  int64_t groups = 1;   // of a ConvTranspose, whose weight is [c, m / groups, kernel...]
  bool transposed = false;
};

bool IsFloat(const Tensor* tensor) { return tensor != nullptr && tensor->dtype() == DType::kFloat32; }

bool HasPlainResult(const Node& node, Activation activation) {
  return activation == Activation::kNone && Operand(node, 3) == kNoValue;
}

std::optional<Target> FindTarget(const GraphIndex& index, const std::vector<std::optional<size_t>>& ranks,
                                 ValueId x) {
  const Node* node = index.producer(x);
  if (node == nullptr || !index.HasOneUse(x) || !IsFloat(index.constant(Operand(*node, 1)))) return std::nullopt;
  if (Operand(*node, 2) != kNoValue && !IsFloat(index.constant(node->inputs[2]))) return std::nullopt;
  const Shape& weight = index.constant(node->inputs[1])->shape();
  if (const Conv* conv = std::get_if<Conv>(&node->op)) {
    if (!HasPlainResult(*node, conv->activation)) return std::nullopt;
    return Target{node, weight[0]};
  }
  if (const ConvTranspose* conv = std::get_if<ConvTranspose>(&node->op)) {
    if (!HasPlainResult(*node, conv->activation)) return std::nullopt;
    return Target{node, weight[1] * conv->groups, conv->groups, true};
  }
  if (const Linear* linear = std::get_if<Linear>(&node->op)) {
    // Of [n, c] the channels are what Linear makes; of [n, c, k] they are not.
    if (!HasPlainResult(*node, linear->activation) || ranks[x] != 2) return std::nullopt;
    return Target{node, weight[0]};
  }
  return std::nullopt;
}

Result<Tensor> ScaleWeight(const Tensor& weight, std::span<const float> scale, const Target& target) {
  Tensor scaled = TRY(Tensor::Allocate(weight.type()));
  const std::span<const float> from = weight.As<float>();
  const std::span<float> to = scaled.MutableAs<float>();
  const Shape& shape = weight.shape();
  const size_t rows = static_cast<size_t>(target.transposed ? shape[0] * shape[1] : shape[0]);
  const size_t row_size = rows == 0 ? 0 : from.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    size_t channel = row;
    if (target.transposed) {
      const size_t in = row / static_cast<size_t>(shape[1]), out = row % static_cast<size_t>(shape[1]);
      const size_t group = in / static_cast<size_t>(shape[0] / target.groups);
      channel = group * static_cast<size_t>(shape[1]) + out;
    }
    for (size_t i = row * row_size; i < (row + 1) * row_size; ++i) to[i] = from[i] * scale[channel];
  }
  return scaled;
}

Tensor FoldBias(const Tensor* bias, std::span<const float> scale, std::span<const float> shift) {
  std::vector<float> folded(shift.begin(), shift.end());
  if (bias != nullptr) {
    for (size_t i = 0; i < folded.size(); ++i) folded[i] += bias->As<float>()[i] * scale[i];
  }
  return Tensor::FromValues<float>({static_cast<int64_t>(folded.size())}, folded);
}

// Frees a weight that has been folded into another, so that only one of each pair is in memory at a time.
void ReleaseConstant(Graph& graph, ValueId value) {
  for (Initializer& initializer : graph.initializers) {
    if (initializer.value == value) initializer.data.reset();
  }
}

void SetActivation(Op& op, Activation activation) {
  if (Conv* conv = std::get_if<Conv>(&op)) conv->activation = activation;
  if (ConvTranspose* conv = std::get_if<ConvTranspose>(&op)) conv->activation = activation;
  if (Linear* linear = std::get_if<Linear>(&op)) linear->activation = activation;
}

Status FoldInto(Graph& graph, const GraphIndex& index, const Target& target, Node& affine) {
  const std::span<const float> scale = index.constant(affine.inputs[1])->As<float>();
  const std::span<const float> shift = index.constant(affine.inputs[2])->As<float>();
  const ValueId weight = target.node->inputs[1];
  Tensor scaled = TRY(ScaleWeight(*index.constant(weight), scale, target));
  Tensor bias = FoldBias(index.constant(Operand(*target.node, 2)), scale, shift);
  const Activation activation = std::get<ChannelAffine>(affine.op).activation;
  const ValueId x = target.node->inputs[0];
  affine.op = target.node->op;
  SetActivation(affine.op, activation);
  affine.name = target.node->name;  // the weight-bearing one is what people know
  if (index.HasOneUse(weight)) ReleaseConstant(graph, weight);
  const ValueId new_weight = AddConstant(graph, std::move(scaled));
  affine.inputs = {x, new_weight, AddConstant(graph, std::move(bias))};
  return {};
}

}  // namespace

Result<Graph> FoldBatchNorm(Graph graph) {
  const auto is_affine = [](const Node& node) { return std::holds_alternative<ChannelAffine>(node.op); };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), is_affine)) return graph;
  const std::vector<std::optional<size_t>> ranks = ValueRanks(graph);
  const GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    if (!is_affine(node)) continue;
    const auto target = FindTarget(index, ranks, node.inputs[0]);
    const Tensor* scale = index.constant(node.inputs[1]);
    const Tensor* shift = index.constant(node.inputs[2]);
    if (!target.has_value() || !IsFloat(scale) || !IsFloat(shift)) continue;
    if (scale->shape() != Shape{target->outputs} || shift->shape() != scale->shape()) continue;
    TRY(FoldInto(graph, index, *target, node));
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
