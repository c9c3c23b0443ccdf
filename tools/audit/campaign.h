#pragma once

#include <functional>

#include "tools/audit/audit_options.h"
#include "tools/audit/outcome.h"
#include "tools/cli/progress.h"

namespace soter::audit {

// Save writes the report of what is done so far.
using Save = std::function<Status(const Report&)>;

// RunCampaign trains the victims that are not there yet, records each under every scheme on the real enclave and worker,
// and attacks what was recorded. What an earlier run with the same options kept in the report's directory (parts/) is
// not computed again. Errors: those of training, Record, RunAttacks and `save`.
Result<Report> RunCampaign(const AuditOptions& options, Progress& progress, const Save& save);

}  // namespace soter::audit
