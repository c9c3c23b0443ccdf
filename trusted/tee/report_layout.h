#pragma once

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "trusted/tee/platform_kind.h"

namespace soter {

// Where a report keeps two of its fields. Nothing is verified: this is for the enclave to look at its own report.
// Errors: kMalformed (too short, or of an unknown version).
Result<ByteView> ReportDataIn(PlatformKind kind, ByteView report);
Result<ByteView> MeasurementIn(PlatformKind kind, ByteView report);

}  // namespace soter
