// LayerNorm, y = (x - mean) / sqrt(variance + epsilon) * scale + bias, as exporters take it apart:
//   mean = ReduceMean(x), c = x - mean, d = sqrt(ReduceMean(c^2) + epsilon), c / d * scale + bias.
// Without the subtraction it is RMSNorm, whose division is often a product with 1 / d.
#include <algorithm>

#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

using Ranks = std::vector<std::optional<size_t>>;

struct Match {
  ValueId x;
  LayerNorm norm;
};

class Matcher {
 public:
  Matcher(const Graph& graph, const Ranks& ranks) : index_(graph), ranks_(ranks) {}

  const GraphIndex& index() const { return index_; }

  // Matches the normalised value, before scale and bias.
  std::optional<Match> MatchNormal(const Node& node) const {
    const Binary* binary = std::get_if<Binary>(&node.op);
    if (binary == nullptr) return std::nullopt;
    if (binary->kind == BinaryKind::kDiv) return MatchQuotient(node.inputs[0], node.inputs[1]);
    if (binary->kind != BinaryKind::kMul) return std::nullopt;
    for (size_t side : {0, 1}) {
      const ValueId deviation = Inverted(node.inputs[1 - side]);
      if (deviation == kNoValue) continue;
      const auto match = MatchQuotient(node.inputs[side], deviation);
      if (match.has_value()) return match;
    }
    return std::nullopt;
  }

  // Whether `value` is a constant of as many axes as the norm covers, none of which it broadcasts.
  bool IsParameter(ValueId value, const LayerNorm& norm) const {
    const Tensor* tensor = index_.constant(value);
    return tensor != nullptr && tensor->dtype() == DType::kFloat32 &&
           static_cast<int64_t>(tensor->shape().size()) == -norm.axis &&
           std::find(tensor->shape().begin(), tensor->shape().end(), 1) == tensor->shape().end();
  }

 private:
  // The d of 1 / d, or kNoValue.
  ValueId Inverted(ValueId value) const {
    if (const Node* node = index_.Producer(value, UnaryKind::kReciprocal)) return node->inputs[0];
    const Node* node = index_.Producer(value, BinaryKind::kDiv);
    return node != nullptr && index_.scalar(node->inputs[0]) == 1.0f ? node->inputs[1] : kNoValue;
  }

  std::optional<Match> MatchQuotient(ValueId centred, ValueId deviation) const {
    const Node* root = index_.Producer(deviation, UnaryKind::kSqrt);
    const Node* guarded = root != nullptr ? index_.Producer(root->inputs[0], BinaryKind::kAdd) : nullptr;
    if (guarded == nullptr) return std::nullopt;
    for (size_t side : {0, 1}) {
      const std::optional<float> epsilon = index_.scalar(guarded->inputs[1 - side]);
      const Node* variance = TrailingMean(guarded->inputs[side]);
      if (!epsilon.has_value() || !(*epsilon >= 0) || variance == nullptr) continue;
      const ValueId squared = Squared(variance->inputs[0]);
      if (squared == kNoValue || !SameValue(squared, centred)) continue;
      return FromCentred(centred, *variance, *epsilon);
    }
    return std::nullopt;
  }

  Match FromCentred(ValueId centred, const Node& variance, float epsilon) const {
    const int64_t axis = *TrailingAxis(variance);
    if (const Node* difference = index_.Producer(centred, BinaryKind::kSub)) {
      const Node* mean = TrailingMean(difference->inputs[1]);
      if (mean != nullptr && mean->inputs[0] == difference->inputs[0] && TrailingAxis(*mean) == axis) {
        return {difference->inputs[0], {axis, epsilon, /*rms=*/false}};
      }
    }
    return {centred, {axis, epsilon, /*rms=*/true}};
  }

  // The v of v^2 or v v, or kNoValue.
  ValueId Squared(ValueId value) const {
    if (const Node* power = index_.Producer(value, BinaryKind::kPow)) {
      return index_.scalar(power->inputs[1]) == 2.0f ? power->inputs[0] : kNoValue;
    }
    const Node* product = index_.Producer(value, BinaryKind::kMul);
    return product != nullptr && product->inputs[0] == product->inputs[1] ? product->inputs[0] : kNoValue;
  }

  // Some exporters compute x - mean twice.
  bool SameValue(ValueId a, ValueId b) const {
    if (a == b) return true;
    const Node* first = index_.Producer(a, BinaryKind::kSub);
    const Node* second = index_.Producer(b, BinaryKind::kSub);
    return first != nullptr && second != nullptr && first->inputs == second->inputs;
  }

  const Node* TrailingMean(ValueId value) const {
    const Node* node = index_.Producer<Reduce>(value);
    if (node == nullptr) return nullptr;
    const Reduce& reduce = std::get<Reduce>(node->op);
    if (reduce.kind != ReduceKind::kMean || !reduce.keep_dims || reduce.spatial) return nullptr;
    return TrailingAxis(*node).has_value() ? node : nullptr;
  }

  // The first axis, counted from the end, when the axes are all from there on.
  std::optional<int64_t> TrailingAxis(const Node& reduce) const {
    const Tensor* tensor = index_.constant(Operand(reduce, 1));
    if (tensor == nullptr || tensor->dtype() != DType::kInt64 || tensor->bytes().empty()) return std::nullopt;
    std::vector<int64_t> axes(tensor->As<int64_t>().begin(), tensor->As<int64_t>().end());
    const std::optional<size_t> rank = ranks_[reduce.inputs[0]];
    for (int64_t& axis : axes) {
      if (axis >= 0 && !rank.has_value()) return std::nullopt;
      if (axis >= 0) axis -= static_cast<int64_t>(*rank);
    }
    std::sort(axes.begin(), axes.end());
    for (size_t i = 0; i < axes.size(); ++i) {
      if (axes[i] != static_cast<int64_t>(i) - static_cast<int64_t>(axes.size())) return std::nullopt;
    }
    return axes[0];
  }

  GraphIndex index_;
  const Ranks& ranks_;
};

bool IsKind(const Node& node, BinaryKind kind) {
  const Binary* binary = std::get_if<Binary>(&node.op);
  return binary != nullptr && binary->kind == kind && binary->activation == Activation::kNone;
}

// Takes a scale into a bare norm, or a bias into a scaled one, where `node` is the product or sum.
void AbsorbParameter(const Matcher& matcher, Node& node) {
  const bool is_scale = IsKind(node, BinaryKind::kMul);
  if (!is_scale && !IsKind(node, BinaryKind::kAdd)) return;
  for (size_t side : {0, 1}) {
    const ValueId value = node.inputs[side], parameter = node.inputs[1 - side];
    const Node* norm = matcher.index().Producer<LayerNorm>(value);
    if (norm == nullptr || norm->inputs.size() != (is_scale ? 1u : 2u) || !matcher.index().HasOneUse(value)) continue;
    const LayerNorm op = std::get<LayerNorm>(norm->op);
    if (!matcher.IsParameter(parameter, op)) continue;
    std::vector<ValueId> inputs = norm->inputs;
    inputs.push_back(parameter);
    node.op = op;
    node.inputs = std::move(inputs);
    return;
  }
}

}  // namespace

Graph RecogniseLayerNorm(Graph graph) {
  const auto is_root = [](const Node& node) { return std::holds_alternative<Unary>(node.op) &&
                                                     std::get<Unary>(node.op).kind == UnaryKind::kSqrt; };
  if (std::none_of(graph.nodes.begin(), graph.nodes.end(), is_root)) return graph;
  const Ranks ranks = ValueRanks(graph);
  const Matcher matcher(graph, ranks);
  for (Node& node : graph.nodes) {
    if (const auto match = matcher.MatchNormal(node)) {
      node.op = match->norm;
      node.inputs = {match->x};
    } else {
      AbsorbParameter(matcher, node);
    }
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
