#pragma once

#include <unordered_map>
#include <vector>

#include "common/graph/bind.h"
#include "common/wire/message.h"

namespace soter {

// PortPlace is a port and the bytes that it takes.
struct PortPlace {
  wire::Port port;
  size_t size_bytes = 0;
};

// CheckedSegment is a segment that a backend can be given without further questions.
struct CheckedSegment {
  uint32_t id = 0;
  wire::Arithmetic arithmetic = wire::Arithmetic::kFloat32;
  StaticGraph graph;
  std::vector<PortPlace> inputs, outputs;
};

// KnownWeights are the types of the weights that were uploaded.
using KnownWeights = std::unordered_map<WeightId, TensorType>;

// CheckSegment decodes the graph of `request` and checks everything that the client says of it: no symbols, every
// weight known under the type that the graph gives it, ports that agree with the graph, and, where there is a region
// (`region_bytes` > 0), ports inside it, behind the control page, no output overlapping anything else.
// Errors: kMalformed, kUnsupported; those of DecodeGraph and Bind.
Result<CheckedSegment> CheckSegment(const wire::LoadSegment& request, const KnownWeights& weights,
                                    uint64_t region_bytes);

}  // namespace soter
