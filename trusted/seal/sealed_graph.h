#pragma once

#include <cstddef>
#include <span>

#include "common/graph/graph.h"

namespace soter {

// DecodeSealedGraph decodes the graph of an opened model, all of it. Errors: kMalformed (trailing bytes too).
Result<ValidatedGraph> DecodeSealedGraph(std::span<const std::byte> encoded);

}  // namespace soter
