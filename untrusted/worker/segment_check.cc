#include "untrusted/worker/segment_check.h"

#include <algorithm>

#include "common/base/checked.h"
#include "common/graph/codec.h"
#include "common/wire/doorbell.h"

namespace soter {

namespace {

Result<StaticGraph> BindFixed(const ValidatedGraph& graph) {
  if (!graph.graph().symbols.empty()) return Malformed("a segment's graph has symbols");
  return Bind(graph, DefaultShapes(graph.graph(), 1));
}

Status CheckWeights(const Graph& graph, const KnownWeights& weights) {
  for (const Initializer& initializer : graph.initializers) {
    if (initializer.data != nullptr) continue;
    auto known = weights.find(initializer.weight);
    if (known == weights.end()) return Malformed("a segment refers to a weight that was not uploaded");
    if (known->second != initializer.type) return Malformed("a segment gives an uploaded weight another type");
  }
  return {};
}

Result<std::vector<PortPlace>> CheckPorts(const std::vector<wire::Port>& ports, std::span<const ValueId> values,
                                          const StaticGraph& graph) {
  if (ports.size() != values.size()) return Malformed("a segment's ports and its graph differ in number");
  std::vector<PortPlace> places;
  for (size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].type != graph.type(values[i])) return Malformed("a port's type is not that of the graph");
    if (ports[i].planes != 1) return Unsupported("ports of several planes");
    size_t size_bytes = TRY(LaidOutBytes(ports[i].type, ports[i].layout));
    places.push_back({ports[i], size_bytes});
  }
  return places;
}

struct Extent {
  uint64_t begin, end;
  bool output;
};

// CheckInside finds a port that leaves the region, or an output that shares bytes with another port: a backend
// may write outputs in any order while it still reads inputs.
Status CheckInside(const CheckedSegment& segment, uint64_t region_bytes) {
  std::vector<Extent> extents;
  auto add = [&](const PortPlace& place, bool output) -> Status {
    std::optional<uint64_t> end = CheckedAdd<uint64_t>(place.port.offset, place.size_bytes);
    bool inside = place.port.offset >= wire::kControlBytes && end.has_value() && *end <= region_bytes;
    if (!inside) return Malformed("a port lies outside the shared region");
    if (place.size_bytes > 0) extents.push_back({place.port.offset, *end, output});
    return {};
  };
  for (const PortPlace& place : segment.inputs) TRY(add(place, false));
  for (const PortPlace& place : segment.outputs) TRY(add(place, true));
  std::ranges::sort(extents, {}, &Extent::begin);
  uint64_t output_end = 0, any_end = 0;
  for (const Extent& extent : extents) {
    if (extent.begin < (extent.output ? any_end : output_end)) return Malformed("an output overlaps another port");
    any_end = std::max(any_end, extent.end);
    if (extent.output) output_end = std::max(output_end, extent.end);
  }
  return {};
}

}  // namespace

Result<CheckedSegment> CheckSegment(const wire::LoadSegment& request, const KnownWeights& weights,
                                    uint64_t region_bytes) {
  StaticGraph graph = TRY(BindFixed(TRY(DecodeGraph(request.graph))));
  TRY(CheckWeights(graph.graph(), weights));
  std::vector<ValueId> inputs;
  for (const GraphInput& input : graph.graph().inputs) inputs.push_back(input.value);
  std::vector<PortPlace> input_places = TRY(CheckPorts(request.inputs, inputs, graph));
  std::vector<PortPlace> output_places = TRY(CheckPorts(request.outputs, graph.graph().outputs, graph));
  CheckedSegment segment{request.segment, request.arithmetic, std::move(graph), std::move(input_places),
                         std::move(output_places)};
  if (region_bytes > 0) TRY(CheckInside(segment, region_bytes));
  return segment;
}

}  // namespace soter
