#include "trusted/seal/sealed_graph.h"

#include <algorithm>

#include "common/base/reader.h"
#include "common/graph/codec.h"

namespace soter {

Result<ValidatedGraph> DecodeSealedGraph(std::span<const std::byte> encoded) {
  Reader reader(encoded);
  ValidatedGraph graph = TRY(DecodeGraph([&reader](std::span<std::byte> out) -> Status {
    std::span<const std::byte> bytes = TRY(reader.ReadBytes(out.size()));
    std::ranges::copy(bytes, out.begin());
    return {};
  }));
  TRY(reader.ExpectEnd());
  return graph;
}

}  // namespace soter
