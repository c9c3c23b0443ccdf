#pragma once

#include "trusted/engine/accelerator.h"

namespace soter {

// LinkCosts is what it takes to call an accelerator, in milliseconds: copies in the enclave are included.
struct LinkCosts {
  double switch_ms = 0;  // one call with a few bytes each way
  double send_ms_per_mb = 0, receive_ms_per_mb = 0;
  double pass_ms_per_mb = 0;  // one pass over memory in the enclave, per MB of its result
};

// MeasureLink times small segments of its own: it replaces all loaded ones. Errors: those of Accelerator.
Result<LinkCosts> MeasureLink(Accelerator& accelerator, std::chrono::milliseconds timeout);

// Median is the middle one of `values`, which must not be empty.
double Median(std::vector<double> values);

}  // namespace soter
