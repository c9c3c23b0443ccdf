#pragma once

#include "common/graph/bind.h"

namespace soter {

// InAcceleratorSet: every accelerator computes `node`, with these types and attributes (docs/gpu.md, 4). Whatever is
// not in the set costs less than its transfer, or is not worth a kernel, and runs in the enclave under every scheme.
bool InAcceleratorSet(const StaticGraph& graph, const Node& node);

}  // namespace soter
