#pragma once

#include "tools/bench/results.h"
#include "tools/cli/bench_options.h"

namespace soter {

// BenchSchemes measures what `options` name and leaves report.json, report.csv and report.html in options.report. The
// files are complete after every single measurement, so that whoever ends the program keeps what was done until then.
// A configuration that a network or a scheme does not allow is named in the report with the reason.
// Errors: kInvalidArgument (options, files), those of EnclaveSession.
Status BenchSchemes(const BenchOptions& options);

}  // namespace soter
