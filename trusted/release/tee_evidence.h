#pragma once

#include <string_view>

#include "trusted/jose/json.h"
#include "trusted/tee/platform.h"

namespace soter {

// EncodeTeeEvidence writes a report as the key broker protocol has it (docs/spec/key-release.md, 3.2 and 5).
// Errors: kMalformed (an SNP report of another length).
Result<Json> EncodeTeeEvidence(PlatformKind platform, const PlatformReport& report);

// SampleEvidence is what Trustee's `sample` TEE proves, which is nothing.
Json SampleEvidence(const ReportData& report_data);

}  // namespace soter
