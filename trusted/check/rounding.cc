#include "trusted/check/rounding.h"

#include <algorithm>

#include "common/graph/op_traits.h"
#include "trusted/check/freivalds.h"

namespace soter {
namespace {

bool AllAre(const std::vector<int64_t>& values, int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
}

bool MayBeWinograd(const Node& node) {
  const auto* conv = std::get_if<Conv>(&node.op);
  return conv != nullptr && conv->groups == 1 && conv->window.kernel.size() == 2 && AllAre(conv->window.kernel, 3) &&
         AllAre(conv->window.strides, 1) && AllAre(conv->window.dilations, 1);
}

}  // namespace

RoundingFamily FamilyOf(const Node& node, wire::Arithmetic arithmetic, control::WorkerKind worker) {
  switch (arithmetic) {
    case wire::Arithmetic::kTf32: return RoundingFamily::kTf32;
    case wire::Arithmetic::kFloat16: return RoundingFamily::kFloat16;
    case wire::Arithmetic::kFloat32: case wire::Arithmetic::kFloat64: break;  // float64 is no worse than float32
  }
  if (worker == control::WorkerKind::kGpu) return RoundingFamily::kGpuFp32;
  return MayBeWinograd(node) ? RoundingFamily::kWinograd : RoundingFamily::kDirect;
}

int64_t FreivaldsMulAdds(const StaticGraph& graph, const Node& node, int probes) {
  ProbeGeometry g = GeometryOf(node, graph.type(node.inputs[0]), graph.type(node.inputs[1]), graph.type(node.outputs[0]));
  int64_t inputs = g.in_positions() * g.in_channels * (g.taps() * probes + 1);
  int64_t outputs = g.out_positions() * g.out_channels * (probes + 1);
  return 2 * g.images * (inputs + outputs);
}

bool IsCheapToCheck(const StaticGraph& graph, const Node& node) {
  return FreivaldsMulAdds(graph, node, kFreivaldsProbes) <= MulAdds(graph, node) / 4;
}

}  // namespace soter
