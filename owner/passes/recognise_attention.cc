// Attention, softmax(scale q k^T + masks) v, as exporters take it apart. What is left of it afterwards is one MatMul
// that scales its result and reads k as it lies, the masks, Softmax and the second MatMul, which common/compute runs
// as one kernel. Exporters put the scale
//   behind the product     Div or Mul by a constant (nn.Transformer, BERT, GPT-2)
//   on q, or on q and k    before it (nn.MultiheadAttention, scaled_dot_product_attention)
// and transpose k by itself or together with the heads.
#include <cmath>

#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

using Ranks = std::vector<std::optional<size_t>>;

// Scaled is `value` times a constant.
struct Scaled {
  ValueId value;
  float factor;
};

class Rewriter {
 public:
  explicit Rewriter(Graph& graph) : graph_(graph), ranks_(ValueRanks(graph)), index_(graph) {}

  // `root` is a product whose left operand may be a softmax of scores.
  void Rewrite(const Node& root) {
    const Node* softmax = index_.Producer<Softmax>(root.inputs[0]);
    if (softmax == nullptr || std::get<MatMul>(root.op).transpose_a) return;
    if (IsOverLastAxis(*softmax)) RewriteScores(softmax->inputs[0], kMaxMasks);
  }

 private:
  static constexpr int kMaxMasks = 4;   // added one after the other
  static constexpr int kMaxSteps = 6;   // between an operand and what it was before scales and transpositions

  bool IsOverLastAxis(const Node& node) const {
    const Softmax& op = std::get<Softmax>(node.op);
    const auto rank = ranks_[node.inputs[0]];
    if (op.log || op.flatten) return false;
    return op.axis == -1 || (rank.has_value() && op.axis + 1 == static_cast<int64_t>(*rank));
  }

  // Finds the scaled product below the masks that were added to it.
  bool RewriteScores(ValueId scores, int masks) {
    if (RewriteProduct(scores)) return true;
    const Node* mask = masks > 0 ? index_.producer(scores) : nullptr;
    if (mask == nullptr) return false;
    if (std::holds_alternative<Where>(mask->op))
      return RewriteScores(mask->inputs[1], masks - 1) || RewriteScores(mask->inputs[2], masks - 1);
    if (index_.Producer(scores, BinaryKind::kAdd) == nullptr) return false;
    return RewriteScores(mask->inputs[0], masks - 1) || RewriteScores(mask->inputs[1], masks - 1);
  }

  // Turns the node that makes `value` into the whole scaled product, if it is one.
  bool RewriteProduct(ValueId value) {
    ValueId inner = value;
    float alpha = 1.0f;
    for (int steps = kMaxSteps; index_.Producer<MatMul>(inner) == nullptr; --steps) {
      const std::optional<Scaled> scaled = steps > 0 ? TakeScale(inner) : std::nullopt;
      if (!scaled.has_value() || !index_.HasOneUse(scaled->value)) return false;
      if (!std::isnormal(alpha * scaled->factor)) return false;
      inner = scaled->value;
      alpha *= scaled->factor;
    }
    const Node& product = *index_.Producer<MatMul>(inner);
    MatMul op = std::get<MatMul>(product.op);
    if (!std::isnormal(op.alpha * alpha)) return false;
    op.alpha *= alpha;
    std::vector<ValueId> operands = product.inputs;
    TakeOperand(operands[0], op.transpose_a, op.alpha);
    TakeOperand(operands[1], op.transpose_b, op.alpha);
    Node& node = MutableProducer(value);
    node.op = op;
    node.inputs = std::move(operands);
    return true;
  }

  // What `value` is a multiple of, where both have the same shape.
  std::optional<Scaled> TakeScale(ValueId value) const {
    const Node* node = index_.Producer<Binary>(value);
    if (node == nullptr || std::get<Binary>(node->op).activation != Activation::kNone) return std::nullopt;
    const BinaryKind kind = std::get<Binary>(node->op).kind;
    if (kind == BinaryKind::kDiv && IsScale(node->inputs[1], node->inputs[0]))
      return Scaled{node->inputs[0], 1.0f / *index_.scalar(node->inputs[1])};
    if (kind != BinaryKind::kMul) return std::nullopt;
    for (size_t side : {0, 1}) {
      if (IsScale(node->inputs[side], node->inputs[1 - side]))
        return Scaled{node->inputs[1 - side], *index_.scalar(node->inputs[side])};
    }
    return std::nullopt;
  }

  // A constant of one element, finite and not zero, that adds no axes to `other`.
  bool IsScale(ValueId value, ValueId other) const {
    const std::optional<float> scalar = index_.scalar(value);
    if (!scalar.has_value() || !std::isnormal(*scalar) || !ranks_[other].has_value()) return false;
    return index_.constant(value)->shape().size() <= *ranks_[other];
  }

  // Goes from an operand of the product to what it was before scales and transpositions of its last two axes. A
  // transposition that moves other axes too is changed in place where nothing but this product depends on it.
  void TakeOperand(ValueId& operand, bool& transpose, float& alpha) {
    bool is_ours = true;
    for (int steps = 0; steps < kMaxSteps; ++steps) {
      is_ours = is_ours && index_.HasOneUse(operand);
      const std::optional<Scaled> scaled = TakeScale(operand);
      if (scaled.has_value() && std::isnormal(alpha * scaled->factor)) {
        operand = scaled->value;
        alpha *= scaled->factor;
        continue;
      }
      const Node* node = index_.Producer<Transpose>(operand);
      if (node == nullptr || !MovesInnermostUp(std::get<Transpose>(node->op).perm)) return;
      const bool is_only_swap = IsOnlySwap(std::get<Transpose>(node->op).perm);
      if (!is_only_swap && !is_ours) return;
      transpose = !transpose;
      if (!is_only_swap) return SwapInPlace(operand);
      operand = node->inputs[0];
    }
  }

  // Whether the innermost axis becomes the last but one.
  static bool MovesInnermostUp(const std::vector<int64_t>& perm) {
    return perm.size() >= 2 && perm.end()[-2] + 1 == static_cast<int64_t>(perm.size());
  }

  static bool IsOnlySwap(const std::vector<int64_t>& perm) {
    for (size_t i = 0; i + 2 < perm.size(); ++i) {
      if (perm[i] != static_cast<int64_t>(i)) return false;
    }
    return perm.back() + 2 == static_cast<int64_t>(perm.size());
  }

  void SwapInPlace(ValueId value) {
    std::vector<int64_t>& perm = std::get<Transpose>(MutableProducer(value).op).perm;
    std::swap(perm.end()[-1], perm.end()[-2]);
  }

  Node& MutableProducer(ValueId value) {
    return graph_.nodes[static_cast<size_t>(index_.producer(value) - graph_.nodes.data())];
  }

  Graph& graph_;
  const Ranks ranks_;
  const GraphIndex index_;
};

}  // namespace

Graph RecogniseAttention(Graph graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes) {
    if (std::holds_alternative<MatMul>(node.op)) rewriter.Rewrite(node);
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
