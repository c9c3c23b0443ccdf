// GELU as exporters take it apart, in any order and grouping of the factors:
//   erf:   0.5 x (1 + erf(x / sqrt(2)))
//   tanh:  0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
#include <algorithm>
#include <cmath>

#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

// Exporters round the constants differently; nothing else comes this close.
bool IsNear(double value, double expected) { return std::abs(value - expected) <= 1e-4 * std::abs(expected); }

// A product taken apart: a constant times values that are no products.
struct Product {
  double constant = 1;
  std::vector<ValueId> factors;

  bool Is(double expected, std::vector<ValueId> values) const {
    std::vector<ValueId> sorted = factors;
    std::sort(sorted.begin(), sorted.end());
    std::sort(values.begin(), values.end());
    return IsNear(constant, expected) && sorted == values;
  }
};

class Matcher {
 public:
  explicit Matcher(const Graph& graph) : index_(graph) {}

  struct Match {
    ValueId x;
    UnaryKind kind;
  };

  std::optional<Match> MatchRoot(ValueId root) const {
    for (ValueId gate : TakeApart(root, kNoValue).factors) {
      const ValueId function = OnePlus(gate);
      if (function == kNoValue) continue;
      if (const Node* erf = index_.Producer(function, UnaryKind::kErf)) {
        const ValueId x = ErfArgument(erf->inputs[0]);
        if (x != kNoValue && TakeApart(root, x).Is(0.5, {x, gate})) return Match{x, UnaryKind::kGeluErf};
      }
      if (const Node* tanh = index_.Producer(function, UnaryKind::kTanh)) {
        const ValueId x = TanhArgument(tanh->inputs[0]);
        if (x != kNoValue && TakeApart(root, x).Is(0.5, {x, gate})) return Match{x, UnaryKind::kGeluTanh};
      }
    }
    return std::nullopt;
  }

 private:
  static constexpr int kMaxDepth = 8;  // a GELU has fewer; bounds the work on a long chain of products

  // TakeApart opens products, quotients by constants and small powers, but not `x`.
  Product TakeApart(ValueId value, ValueId x) const {
    Product product;
    TakeApart(value, x, kMaxDepth, &product);
    return product;
  }

  void TakeApart(ValueId value, ValueId x, int depth, Product* product) const {
    if (const auto scalar = index_.scalar(value)) {
      product->constant *= *scalar;
      return;
    }
    const Node* node = value == x || depth == 0 ? nullptr : index_.Producer<Binary>(value);
    const BinaryKind kind = node != nullptr ? std::get<Binary>(node->op).kind : BinaryKind::kAdd;
    const auto right = node != nullptr ? index_.scalar(node->inputs[1]) : std::nullopt;
    if (kind == BinaryKind::kMul) {
      for (ValueId operand : node->inputs) TakeApart(operand, x, depth - 1, product);
    } else if (kind == BinaryKind::kDiv && right.has_value()) {
      product->constant /= *right;
      TakeApart(node->inputs[0], x, depth - 1, product);
    } else if (kind == BinaryKind::kPow && (right == 2.0f || right == 3.0f)) {
      for (int i = 0; i < static_cast<int>(*right); ++i) TakeApart(node->inputs[0], x, depth - 1, product);
    } else {
      product->factors.push_back(value);
    }
  }

  // The f of 1 + f, or kNoValue.
  ValueId OnePlus(ValueId value) const {
    const Node* add = index_.Producer(value, BinaryKind::kAdd);
    if (add == nullptr) return kNoValue;
    if (index_.scalar(add->inputs[0]) == 1.0f) return add->inputs[1];
    return index_.scalar(add->inputs[1]) == 1.0f ? add->inputs[0] : kNoValue;
  }

  // The x of x / sqrt(2).
  ValueId ErfArgument(ValueId value) const {
    const Node* node = index_.Producer<Binary>(value);
    if (node == nullptr) return kNoValue;
    for (ValueId x : node->inputs) {
      if (TakeApart(value, x).Is(std::sqrt(0.5), {x})) return x;
    }
    return kNoValue;
  }

  // The x of sqrt(2 / pi) (x + 0.044715 x^3).
  ValueId TanhArgument(ValueId value) const {
    const Product product = TakeApart(value, kNoValue);
    if (product.factors.size() != 1 || !IsNear(product.constant, std::sqrt(2 / M_PI))) return kNoValue;
    const Node* sum = index_.Producer(product.factors[0], BinaryKind::kAdd);
    if (sum == nullptr) return kNoValue;
    for (size_t side : {0, 1}) {
      const ValueId x = sum->inputs[side];
      if (TakeApart(sum->inputs[1 - side], x).Is(0.044715, {x, x, x})) return x;
    }
    return kNoValue;
  }

  GraphIndex index_;
};

}  // namespace

Graph RecogniseGelu(Graph graph) {
  const Matcher matcher(graph);
  for (Node& node : graph.nodes) {
    const Binary* binary = std::get_if<Binary>(&node.op);
    if (binary == nullptr || binary->activation != Activation::kNone) continue;
    const auto match = matcher.MatchRoot(node.outputs[0]);
    if (!match.has_value()) continue;
    node.op = Unary{match->kind};
    node.inputs = {match->x};
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
