#pragma once

#include "common/compute/program.h"

namespace soter {

// ActivationLayout is the layout in which this machine's convolutions read and write 16-channel-aligned activations
// with the least copying, found by asking the engine about a typical one. The enclave and a CPU accelerator on the
// same machine agree on it, so that edges between them need no reordering.
Result<Layout> ActivationLayout(int threads);

}  // namespace soter
