#pragma once

#include <cstdint>

#include "common/wire/control.h"
#include "trusted/engine/accelerator.h"

namespace soter {

// SharesProcessors: the accelerator seems to compute on the enclave's own processors, of which there are not enough for the
// threads of both. What the enclave does beside it then slows it by more than that takes, and the enclave had better wait
// until it is done (docs/decisions/0032). It rests on the worker's word and decides about nothing but the pace.
bool SharesProcessors(const AcceleratorInfo& info, const control::Settings& settings, uint32_t processors);

// ProcessorCount is how many processors this process may use; at least 1.
uint32_t ProcessorCount();

}  // namespace soter
