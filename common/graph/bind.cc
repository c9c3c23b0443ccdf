#include "common/graph/bind.h"

#include <algorithm>

#include "common/graph/bind_inputs.h"
#include "common/graph/fold.h"
#include "common/graph/node_rules.h"

namespace soter {
namespace {

constexpr uint32_t kNoInitializer = UINT32_MAX;

// What a folded operand may measure, and what all folding together may cost: shape arithmetic needs little, and a
// hostile graph must not make Bind slow.
constexpr int64_t kMaxFoldedOperandElements = int64_t{1} << 20;
constexpr int64_t kFoldBudgetElements = int64_t{1} << 24;

// Binder rewrites a graph node by node: each is typed, then folded into initializers or made explicit.
class Binder {
 public:
  explicit Binder(const Graph& graph) : graph_(graph) {}

  Status Run(std::span<const Shape> input_shapes) {
    TRY(BindInputs(graph_, input_shapes));
    types_.resize(graph_.value_names.size());
    initializer_of_.resize(graph_.value_names.size(), kNoInitializer);
    for (size_t i = 0; i < input_shapes.size(); ++i) SetInputShape(graph_.inputs[i], input_shapes[i]);
    graph_.symbols.clear();
    for (uint32_t i = 0; i < graph_.initializers.size(); ++i) {
      types_[graph_.initializers[i].value] = graph_.initializers[i].type;
      initializer_of_[graph_.initializers[i].value] = i;
    }
    std::vector<Node> kept;
    for (Node& node : graph_.nodes) {
      Result<bool> folded = BindNode(node);
      if (!folded.ok()) return Annotate(std::move(folded).error(), NodeLabel(node));
      if (!*folded) kept.push_back(std::move(node));
    }
    graph_.nodes = std::move(kept);
    DropUnneeded();
    return {};
  }

  Graph TakeGraph() { return std::move(graph_); }
  std::vector<std::optional<TensorType>> TakeTypes() { return std::move(types_); }
  std::vector<uint32_t> TakeInitializerIndex() { return std::move(initializer_of_); }

 private:
  void SetInputShape(GraphInput& input, const Shape& shape) {
    types_[input.value] = TensorType{input.dtype, shape};
    input.shape.clear();
    for (int64_t extent : shape) input.shape.push_back(Dim::Constant(extent));
  }

  // BindNode returns whether the node was replaced by initializers.
  Result<bool> BindNode(Node& node) {
    std::vector<const TensorType*> operand_types;
    std::vector<const Tensor*> operands;
    for (ValueId value : node.inputs) {
      operand_types.push_back(value == kNoValue ? nullptr : &*types_[value]);
      operands.push_back(value == kNoValue ? nullptr : ConstantOf(value));
    }
    std::vector<TensorType> types = TRY(InferTypes(node, operand_types, operands));
    for (size_t i = 0; i < types.size(); ++i) types_[node.outputs[i]] = types[i];
    if (TRY(Fold(node, operand_types, operands, types))) return true;
    if (std::holds_alternative<Range>(node.op)) return Exhausted("the graph computes too much on constants");
    TRY(MakeExplicit(node, Operands(operand_types, operands, types.size())));
    return false;
  }

  const Tensor* ConstantOf(ValueId value) const {
    uint32_t index = initializer_of_[value];
    return index == kNoInitializer ? nullptr : graph_.initializers[index].data.get();
  }

  Result<bool> Fold(const Node& node, std::span<const TensorType* const> operand_types, Constants operands,
                    std::span<const TensorType> types) {
    if (const ShapeOf* shape_of = std::get_if<ShapeOf>(&node.op)) {
      AddInitializer(node.outputs[0], ExtentsOf(*shape_of, operand_types[0]->shape));
      return true;
    }
    if (!IsCheapToFold(operand_types, operands, types)) return false;
    std::optional<std::vector<Tensor>> values = TRY(FoldNode(node, operands, types));
    if (!values) return false;
    for (size_t i = 0; i < values->size(); ++i) AddInitializer(node.outputs[i], std::move((*values)[i]));
    return true;
  }

  bool IsCheapToFold(std::span<const TensorType* const> operand_types, Constants operands,
                     std::span<const TensorType> types) {
    int64_t cost = 0;
    for (size_t i = 0; i < operands.size(); ++i) {
      if (operand_types[i] == nullptr) continue;
      int64_t count = ElementCount(operand_types[i]->shape).value();
      if (operands[i] == nullptr || count > kMaxFoldedOperandElements) return false;
      cost += count;
    }
    for (const TensorType& type : types) {
      int64_t count = ElementCount(type.shape).value();
      if (count > kMaxFoldedElements) return false;
      cost += count;
    }
    if (cost > fold_budget_) return false;
    fold_budget_ -= cost;
    return true;
  }

  static Tensor ExtentsOf(const ShapeOf& op, const Shape& shape) {
    int64_t rank = static_cast<int64_t>(shape.size());
    auto clamp = [&](int64_t end) { return std::clamp<int64_t>(end < 0 ? end + rank : end, 0, rank); };
    int64_t start = clamp(op.start), end = std::max(start, clamp(op.end));
    return Tensor::FromValues<int64_t>({end - start}, std::span(shape).subspan(start, end - start));
  }

  void AddInitializer(ValueId value, Tensor tensor) {
    types_[value] = tensor.type();
    initializer_of_[value] = static_cast<uint32_t>(graph_.initializers.size());
    TensorType type = tensor.type();
    graph_.initializers.push_back({value, std::move(type), std::make_shared<const Tensor>(std::move(tensor))});
  }

  // MakeExplicit replaces what a kernel would otherwise have to derive: automatic pads, inferred shapes.
  Status MakeExplicit(Node& node, const Operands& operands) {
    if (Conv* conv = std::get_if<Conv>(&node.op)) conv->window = TRY(ResolveWindow(*conv, operands));
    if (ConvTranspose* conv = std::get_if<ConvTranspose>(&node.op)) *conv = TRY(ResolveTranspose(*conv, operands));
    if (Pool* pool = std::get_if<Pool>(&node.op)) {
      pool->ceil_mode = pool->ceil_mode && pool->window.auto_pad == AutoPad::kExplicit;
      pool->window = TRY(ResolveWindow(*pool, operands));
    }
    bool reshapes = std::holds_alternative<Reshape>(node.op) || std::holds_alternative<Flatten>(node.op) ||
                    std::holds_alternative<Squeeze>(node.op) || std::holds_alternative<Unsqueeze>(node.op);
    if (reshapes) return MakeReshape(node);
    return {};
  }

  Status MakeReshape(Node& node) {
    const Shape& shape = types_[node.outputs[0]]->shape;
    const Reshape* reshape = std::get_if<Reshape>(&node.op);
    bool literal = reshape != nullptr && reshape->allow_zero &&
                   std::ranges::equal(ConstantOf(node.inputs[1])->As<int64_t>(), shape);
    if (literal) return {};
    if (graph_.value_names.size() >= kMaxValues) return Exhausted("the graph has too many values");
    int64_t rank = static_cast<int64_t>(shape.size());
    Tensor extents = Tensor::FromValues<int64_t>({rank}, std::span<const int64_t>(shape));
    node.op = Reshape{.allow_zero = true};
    node.inputs = {node.inputs[0], graph_.AddValue("")};
    types_.emplace_back();
    initializer_of_.push_back(kNoInitializer);
    AddInitializer(node.inputs[1], std::move(extents));
    return {};
  }

  // DropUnneeded keeps what the outputs depend on; inputs stay, since callers count on them.
  void DropUnneeded() {
    std::vector<bool> needed(graph_.value_names.size(), false);
    for (ValueId value : graph_.outputs) needed[value] = true;
    std::vector<Node> kept;
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (std::ranges::none_of(node->outputs, [&](ValueId value) { return needed[value]; })) continue;
      for (ValueId value : node->inputs)
        if (value != kNoValue) needed[value] = true;
      kept.push_back(std::move(*node));
    }
    std::ranges::reverse(kept);
    graph_.nodes = std::move(kept);
    std::erase_if(graph_.initializers, [&](const Initializer& initializer) { return !needed[initializer.value]; });
    std::ranges::fill(initializer_of_, kNoInitializer);
    for (uint32_t i = 0; i < graph_.initializers.size(); ++i) initializer_of_[graph_.initializers[i].value] = i;
  }

  Graph graph_;
  std::vector<std::optional<TensorType>> types_;
  std::vector<uint32_t> initializer_of_;
  int64_t fold_budget_ = kFoldBudgetElements;
};

}  // namespace

Result<StaticGraph> Bind(const ValidatedGraph& graph, std::span<const Shape> input_shapes) {
  Binder binder(graph.graph());
  TRY(binder.Run(input_shapes));
  StaticGraph bound;
  bound.graph_ = binder.TakeGraph();
  bound.types_ = binder.TakeTypes();
  bound.initializer_of_ = binder.TakeInitializerIndex();
  return bound;
}

const Initializer* StaticGraph::initializer(ValueId value) const {
  CHECK(value < initializer_of_.size(), "no such value");
  uint32_t index = initializer_of_[value];
  return index == kNoInitializer ? nullptr : &graph_.initializers[index];
}

const Tensor* StaticGraph::constant(ValueId value) const {
  const Initializer* found = initializer(value);
  return found == nullptr ? nullptr : found->data.get();
}

}  // namespace soter
