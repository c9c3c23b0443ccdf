#include <algorithm>

#include "owner/passes/evaluate.h"
#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

bool IsFloatMatrix(const Tensor* tensor) {
  return tensor != nullptr && tensor->dtype() == DType::kFloat32 && tensor->shape().size() == 2;
}

// The weight [n, k] of a product with `b`.
Result<Tensor> MakeWeight(const Tensor& b, const MatMul& op) {
  Tensor weight;
  if (op.transpose_b) {
    weight = b.Clone();
  } else {
    const Node transpose{"", Transpose{{1, 0}}, {0}, {1}};
    const Tensor* operand = &b;
    Result<std::optional<Tensor>> transposed = EvaluateNode(transpose, {&operand, 1});
    if (!transposed.ok()) return std::move(transposed).error();
    CHECK(transposed->has_value(), "a constant matrix is always transposed");
    weight = std::move(**transposed);
  }
  for (float& element : weight.MutableAs<float>()) element *= op.alpha;
  return weight;
}

Status LowerMatMul(Graph& graph, const GraphIndex& index, Node& node) {
  const MatMul op = std::get<MatMul>(node.op);
  const Tensor* b = index.constant(node.inputs[1]);
  if (op.transpose_a || !IsFloatMatrix(b) || index.constant(node.inputs[0]) != nullptr) return {};
  node.op = Linear{};
  if (op.transpose_b && op.alpha == 1.0f) return {};
  node.inputs[1] = AddConstant(graph, TRY(MakeWeight(*b, op)));
  return {};
}

// Add(Linear(x, w), bias): the Add becomes the Linear. A bias of more axes could broadcast the result.
void AbsorbBias(const Graph& graph, const GraphIndex& index, Node& add) {
  for (size_t side : {0, 1}) {
    const Node* linear = index.Producer<Linear>(add.inputs[side]);
    const ValueId bias = add.inputs[1 - side];
    if (linear == nullptr || !index.HasOneUse(add.inputs[side]) || linear->inputs.size() > 2 ||
        std::get<Linear>(linear->op).activation != Activation::kNone) {
      continue;
    }
    const Tensor* values = index.constant(bias);
    if (values == nullptr || values->dtype() != DType::kFloat32 || values->shape().size() != 1) continue;
    const auto weight = std::find_if(graph.initializers.begin(), graph.initializers.end(),
                                     [&](const Initializer& i) { return i.value == linear->inputs[1]; });
    if (values->shape()[0] != weight->type.shape[0]) continue;
    const Activation activation = std::get<Binary>(add.op).activation;
    add.inputs = {linear->inputs[0], linear->inputs[1], bias};
    add.name = linear->name;
    add.op = Linear{activation};
    return;
  }
}

}  // namespace

Result<Graph> LowerMatMulAdd(Graph graph) {
  const GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    if (std::holds_alternative<MatMul>(node.op)) TRY(LowerMatMul(graph, index, node));
    const Binary* binary = std::get_if<Binary>(&node.op);
    if (binary != nullptr && binary->kind == BinaryKind::kAdd) AbsorbBias(graph, index, node);
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
