#pragma once

#include "tools/audit/audit_options.h"
#include "tools/audit/outcome.h"
#include "tools/cli/progress.h"

namespace soter::audit {

// RunCampaign trains the victims that are not there yet, records each under every scheme on the real enclave and worker,
// and attacks what was recorded. Errors: those of training, Record and RunAttacks.
Result<Report> RunCampaign(const AuditOptions& options, Progress& progress);

}  // namespace soter::audit
