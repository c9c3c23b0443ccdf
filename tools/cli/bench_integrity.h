#pragma once

#include "common/base/result.h"
#include "tools/cli/bench_options.h"

namespace soter {

// BenchIntegrity measures what checks cost and catch (docs/spec/integrity.md) and writes its report to
// options.report. Errors: those of EnclaveSession and of writing the report.
Status BenchIntegrity(const BenchOptions& options);

}  // namespace soter
