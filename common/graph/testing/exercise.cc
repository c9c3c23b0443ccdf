#include "common/graph/testing/exercise.h"

#include <algorithm>

#include "common/graph/codec.h"
#include "common/graph/op_traits.h"

namespace soter {

void ExerciseDecoder(std::span<const std::byte> bytes) {
  Result<ValidatedGraph> graph = DecodeStructure(bytes);
  if (!graph.ok()) return;
  CHECK(std::ranges::equal(EncodeStructure(graph->graph()), bytes), "the encoding is canonical");
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
