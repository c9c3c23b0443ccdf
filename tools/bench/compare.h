#pragma once

#include "common/base/result.h"
#include "tools/bench/results.h"

namespace soter::bench {

// CompareText says what changed between two reports, for a terminal: every configuration that both have, with its
// medians; a change counts as one only where the spans from p10 to p90 do not meet. Reports of other machines or
// protocols are compared with a warning. Errors: kInvalidArgument (one is modelled and the other is not).
Result<std::string> CompareText(const Results& before, const Results& after);

}  // namespace soter::bench
