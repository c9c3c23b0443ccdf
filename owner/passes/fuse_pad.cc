#include "owner/passes/graph_index.h"
#include "owner/passes/passes.h"

namespace soter {
namespace {

struct SpatialPads {
  std::vector<int64_t> begin, end;
};

// The pads of a zero Pad that leaves the first two of `spatial_rank` + 2 axes alone; nothing for any other Pad.
std::optional<SpatialPads> ReadPads(const GraphIndex& index, const Node& node, size_t spatial_rank) {
  if (std::get<Pad>(node.op).mode != PadMode::kConstant || Operand(node, 3) != kNoValue) return std::nullopt;
  if (Operand(node, 2) != kNoValue && index.scalar(node.inputs[2]) != 0.0f) return std::nullopt;
  const Tensor* pads = index.constant(node.inputs[1]);
  const size_t rank = spatial_rank + 2;
  if (pads == nullptr || pads->dtype() != DType::kInt64) return std::nullopt;
  const std::span<const int64_t> values = pads->As<int64_t>();
  if (values.size() != 2 * rank) return std::nullopt;
  for (int64_t value : values) {
    if (value < 0) return std::nullopt;  // a negative pad crops
  }
  if (values[0] != 0 || values[1] != 0 || values[rank] != 0 || values[rank + 1] != 0) return std::nullopt;
  return SpatialPads{{values.begin() + 2, values.begin() + static_cast<ptrdiff_t>(rank)},
                     {values.begin() + static_cast<ptrdiff_t>(rank) + 2, values.end()}};
}

bool HasPads(const Window& window) {
  for (const auto& pads : {window.pads_begin, window.pads_end}) {
    for (int64_t pad : pads) {
      if (pad != 0) return true;
    }
  }
  return window.auto_pad != AutoPad::kExplicit;
}

void AddPads(const SpatialPads& pads, Window* window) {
  for (size_t i = 0; i < window->kernel.size(); ++i) {
    window->pads_begin[i] += pads.begin[i];
    window->pads_end[i] += pads.end[i];
  }
}

// A pool's pads must stay smaller than its window.
bool FitsPool(const SpatialPads& pads, const Window& window) {
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    const int64_t reach = (window.kernel[i] - 1) * window.dilations[i];
    if (pads.begin[i] > reach || pads.end[i] > reach) return false;
  }
  return true;
}

// Takes the pads over into `op` where that computes the same; each overload returns whether it did.
struct TakePads {
  const GraphIndex& index;
  const Node& pad;

  bool operator()(Conv& conv) const {
    if (conv.window.auto_pad != AutoPad::kExplicit) return false;
    const auto pads = ReadPads(index, pad, conv.window.kernel.size());
    if (pads.has_value()) AddPads(*pads, &conv.window);
    return pads.has_value();
  }
  bool operator()(Pool& pool) const {
    // Only an average that counts the zeros is the same; and with ceil_mode, padding also decides the last window.
    if (pool.kind != PoolKind::kAverage || pool.ceil_mode || HasPads(pool.window)) return false;
    const auto pads = ReadPads(index, pad, pool.window.kernel.size());
    if (!pads.has_value() || !FitsPool(*pads, pool.window)) return false;
    AddPads(*pads, &pool.window);
    pool.count_include_pad = true;
    return true;
  }
  bool operator()(auto&) const { return false; }
};

}  // namespace

Graph FusePad(Graph graph) {
  const GraphIndex index(graph);
  for (Node& node : graph.nodes) {
    if (node.inputs.empty()) continue;
    const Node* pad = index.Producer<Pad>(node.inputs[0]);
    if (pad == nullptr) continue;
    if (std::visit(TakePads{index, *pad}, node.op)) node.inputs[0] = pad->inputs[0];
  }
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
