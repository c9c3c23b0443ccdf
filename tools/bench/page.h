#pragma once

#include "tools/bench/claims.h"
#include "tools/bench/results.h"

namespace soter::bench {

// EncodeHtml lays results out as one page: figure 1 of the paper, its tables 3 and 4 beside our own, latency against
// theta, batch and input size, counts, predictions, and the verdict on each claim. A page of modelled figures says so
// in its title and at every figure and table, and shows nothing measured beside them but the enclave's own time.
std::string EncodeHtml(const Results& results, const std::vector<Claim>& claims);

// MedianPredictionError is the median over measurements of |predicted / measured - 1|; negative where none was predicted.
double MedianPredictionError(const Results& results);

// SpeedupBound is Amdahl's: how much faster than the enclave alone a plan can be whose accelerator takes over `share` of
// the work and is `times` as fast (0: infinitely).
double SpeedupBound(double share, double times);

}  // namespace soter::bench
