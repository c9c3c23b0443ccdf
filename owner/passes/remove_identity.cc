#include <algorithm>
#include <numeric>

#include "owner/passes/passes.h"

namespace soter {
namespace {

bool AllAre(const std::vector<int64_t>& values, int64_t expected) {
  return std::all_of(values.begin(), values.end(), [=](int64_t value) { return value == expected; });
}

struct IsIdentity {
  bool operator()(const Unary& op) const { return op.kind == UnaryKind::kIdentity; }
  bool operator()(const Transpose& op) const {
    for (size_t i = 0; i < op.perm.size(); ++i) {
      if (op.perm[i] != static_cast<int64_t>(i)) return false;
    }
    return !op.perm.empty();
  }
  bool operator()(const Pool& op) const {
    // The p-norm of one element is its absolute value. SAME pads nothing for a window of one element.
    const Window& w = op.window;
    return op.kind != PoolKind::kLp && AllAre(w.kernel, 1) && AllAre(w.strides, 1) && AllAre(w.pads_begin, 0) &&
           AllAre(w.pads_end, 0);
  }
  bool operator()(const auto&) const { return false; }
};

}  // namespace

Graph RemoveIdentity(Graph graph) {
  std::vector<bool> is_output(graph.value_names.size()), is_made(graph.value_names.size());
  for (ValueId output : graph.outputs) is_output[output] = true;
  std::vector<ValueId> replaced(graph.value_names.size());  // what stands for a value now
  std::iota(replaced.begin(), replaced.end(), 0);

  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) {
      if (input != kNoValue) input = replaced[input];
    }
    for (ValueId output : node.outputs) is_made[output] = true;
    if (!std::visit(IsIdentity{}, node.op)) continue;
    const ValueId x = node.inputs[0], y = node.outputs[0];
    if (!is_output[y]) {
      replaced[y] = x;
    } else if (is_made[x] && !is_output[x]) {
      // The node that made x makes the output y itself; everybody before who read x reads y.
      replaced[x] = y;
      for (Node& other : graph.nodes) {
        if (&other == &node) break;
        std::replace(other.inputs.begin(), other.inputs.end(), x, y);
        std::replace(other.outputs.begin(), other.outputs.end(), x, y);
      }
      // A value replaced by x earlier must not lead back to it.
      std::replace(replaced.begin(), replaced.end(), x, y);
    } else {
      continue;
    }
    node.outputs.clear();
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.outputs.empty(); });
  return RemoveDeadCode(std::move(graph));
}

}  // namespace soter
