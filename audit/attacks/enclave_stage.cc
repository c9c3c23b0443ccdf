#include "audit/attacks/enclave_stage.h"

#include <algorithm>

#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

// Windows lie side by side and cover the whole map.
bool TilesExactly(const Pool& pool, const Shape& shape) {
  const Window& window = pool.window;
  if (pool.kind == PoolKind::kLp || shape.size() != 4 || window.kernel.size() != 2) return false;
  for (size_t i = 0; i < 2; ++i)
    if (window.kernel[i] != window.strides[i] || window.dilations[i] != 1 || window.pads_begin[i] != 0 ||
        window.pads_end[i] != 0 || shape[2 + i] % window.kernel[i] != 0)
      return false;
  return true;
}

bool IsRelu(const Node& node) {
  const auto* unary = std::get_if<Unary>(&node.op);
  return unary != nullptr && unary->kind == UnaryKind::kRelu;
}

// CanGoBack: a value that is nowhere negative has a preimage under this node, its first operand.
bool CanGoBack(const StaticGraph& graph, const Node& node) {
  const auto* pool = std::get_if<Pool>(&node.op);
  return IsRelu(node) || std::holds_alternative<Reshape>(node.op) ||
         (pool != nullptr && TilesExactly(*pool, graph.type(node.inputs[0]).shape));
}

class StageFinder {
 public:
  StageFinder(const StaticGraph& ancestor, const View& view, const Alignment& alignment) : graph_(ancestor) {
    for (size_t s = 0; s < view.segments.size(); ++s) {
      const Graph& segment = view.segments[s].graph.graph();
      for (size_t i = 0; i < segment.outputs.size(); ++i) {
        auto name = alignment.names[s].find(segment.outputs[i]);
        if (name != alignment.names[s].end()) answered_[name->second] = {s, i};
      }
    }
    for (size_t i = 0; i < alignment.layers.size(); ++i)
      (alignment.sightings[i].has_value() ? seen_ : kept_)[alignment.layers[i].node] = i;
  }

  std::vector<EnclaveStage> FindAll() const {
    std::vector<EnclaveStage> stages;
    for (const auto& [node, layer] : kept_) {
      std::optional<EnclaveStage> stage = EntryTo(node);
      if (!stage.has_value()) continue;
      stage->layers.push_back(layer);
      std::optional<size_t> next = KeptBehindRelu(node);
      if (next.has_value()) stage->layers.push_back(kept_.at(*next));
      stages.push_back(std::move(*stage));
    }
    return stages;
  }

 private:
  // EntryTo walks backwards from an operator's input to something that the accelerator answers.
  std::optional<EnclaveStage> EntryTo(size_t node) const {
    EnclaveStage stage;
    ValueId value = graph_.graph().nodes[node].inputs[0];
    while (!answered_.contains(value)) {
      std::optional<size_t> maker = MakerOf(value);
      if (!maker.has_value() || !CanGoBack(graph_, graph_.graph().nodes[*maker])) return std::nullopt;
      stage.path.insert(stage.path.begin(), *maker);
      value = graph_.graph().nodes[*maker].inputs[0];
    }
    stage.entry = value;
    std::tie(stage.segment, stage.output) = answered_.at(value);
    return stage;
  }

  std::optional<size_t> MakerOf(ValueId value) const {
    for (size_t i = 0; i < graph_.graph().nodes.size(); ++i)
      if (graph_.graph().nodes[i].outputs[0] == value) return i;
    return std::nullopt;
  }

  std::optional<size_t> KeptBehindRelu(size_t node) const {
    std::optional<size_t> relu = OnlyReader(graph_.graph().nodes[node].outputs[0]);
    if (!relu.has_value() || !IsRelu(graph_.graph().nodes[*relu])) return std::nullopt;
    std::optional<size_t> next = OnlyReader(graph_.graph().nodes[*relu].outputs[0]);
    return next.has_value() && kept_.contains(*next) ? next : std::nullopt;
  }

  std::optional<size_t> OnlyReader(ValueId value) const {
    std::optional<size_t> reader;
    for (size_t i = 0; i < graph_.graph().nodes.size(); ++i) {
      if (std::ranges::find(graph_.graph().nodes[i].inputs, value) == graph_.graph().nodes[i].inputs.end()) continue;
      if (reader.has_value()) return std::nullopt;
      reader = i;
    }
    return reader;
  }

  const StaticGraph& graph_;
  std::map<ValueId, std::pair<size_t, size_t>> answered_;  // by the ancestor's value: segment and output
  std::map<size_t, size_t> kept_, seen_;                   // nodes of operators -> layers
};

// Spread copies each value of a pooled map to every place of its window.
Tensor Spread(const Tensor& pooled, const Window& window, const TensorType& type) {
  Tensor full = Tensor::Allocate(type).value();
  int64_t rows = type.shape[2], columns = type.shape[3], planes = type.shape[0] * type.shape[1];
  int64_t kh = window.kernel[0], kw = window.kernel[1];
  std::span<const float> from = pooled.As<float>();
  std::span<float> to = full.MutableAs<float>();
  for (int64_t p = 0; p < planes; ++p)
    for (int64_t y = 0; y < rows; ++y)
      for (int64_t x = 0; x < columns; ++x)
        to[static_cast<size_t>((p * rows + y) * columns + x)] =
            from[static_cast<size_t>((p * (rows / kh) + y / kh) * (columns / kw) + x / kw)];
  return full;
}

}  // namespace

std::vector<EnclaveStage> FindStages(const StaticGraph& ancestor, const View& view, const Alignment& alignment) {
  return StageFinder(ancestor, view, alignment).FindAll();
}

Tensor Preimage(const StaticGraph& ancestor, const EnclaveStage& stage, const Tensor& wanted) {
  Tensor value = wanted.Clone();
  for (size_t i = stage.path.size(); i-- > 0;) {
    const Node& node = ancestor.graph().nodes[stage.path[i]];
    const TensorType& type = ancestor.type(node.inputs[0]);
    if (const auto* pool = std::get_if<Pool>(&node.op)) {
      value = Spread(value, pool->window, type);
    } else if (std::holds_alternative<Reshape>(node.op)) {
      Tensor reshaped = Tensor::Allocate(type).value();
      std::ranges::copy(value.bytes(), reshaped.mutable_bytes().begin());
      value = std::move(reshaped);
    }
  }
  return value;
}

}  // namespace soter::audit
