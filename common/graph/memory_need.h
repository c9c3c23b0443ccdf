#pragma once

#include <cstdint>

#include "common/graph/bind.h"

namespace soter {

// RequireMemory finds out before anything is allocated whether `graph` can run in `memory_bytes`: it must hold its
// weights, its inputs, its outputs twice, as they are copied when they leave, and all operands and results of any one
// node. More may still be needed. Errors: kExhausted, naming what is too large.
Status RequireMemory(const StaticGraph& graph, uint64_t memory_bytes);

// MachineMemoryBytes is what this machine (or this enclave, under a library OS) has in all.
uint64_t MachineMemoryBytes();

}  // namespace soter
