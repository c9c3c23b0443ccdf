#include "common/graph/testing/exercise.h"

#include <algorithm>

#include "common/graph/codec.h"
#include "common/graph/encoding.h"
#include "common/graph/op_traits.h"

namespace soter {

namespace {

std::vector<std::byte> EncodeWhole(const Graph& graph) {
  std::vector<std::byte> bytes;
  Status status = EncodeGraph(graph, [&bytes](std::span<const std::byte> piece) -> Status {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return {};
  });
  CHECK(status.ok(), "a decoded graph can be encoded");
  return bytes;
}

}  // namespace

void ExerciseDecoder(std::span<const std::byte> bytes) {
  bool whole = bytes.size() >= kGraphMagic.size() &&
               std::ranges::equal(bytes.first(kGraphMagic.size()), std::as_bytes(std::span(kGraphMagic)));
  Result<ValidatedGraph> graph = whole ? DecodeGraph(bytes) : DecodeStructure(bytes);
  if (!graph.ok()) return;
  CHECK(std::ranges::equal(whole ? EncodeWhole(graph->graph()) : EncodeStructure(graph->graph()), bytes),
        "the encoding is canonical");
  CHECK(!Dump(graph->graph()).empty(), "a graph has an output to print");
  for (int64_t extent = 1; extent <= 3; ++extent) {
    Result<StaticGraph> bound = Bind(*graph, DefaultShapes(graph->graph(), extent));
    if (!bound.ok()) continue;
    for (const Node& node : bound->graph().nodes) {
      CHECK(MulAdds(*bound, node) >= 0, "work is counted without overflow");
      IsPositivelyHomogeneous(*bound, node);
    }
    CHECK(ValidatedGraph::Validate(bound->graph()).ok(), "a bound graph is valid");
  }
}

}  // namespace soter
