#pragma once

#include "common/base/result.h"

namespace soter::audit {

// AuditMain does what `soter audit` is asked for. Returns the exit code: 0, or 1 where a control came out wrong.
Result<int> AuditMain(int argc, char** argv);

}  // namespace soter::audit
