#pragma once

#include "trusted/attest/verify/verify.h"
#include "trusted/jose/json.h"

namespace soter {

// DecodeTeeEvidence reads the primary_evidence of a TEE as Trustee's clients send it (docs/spec/key-release.md, 3.2
// and 5). Nothing of it is verified. Errors: kMalformed.
Result<Evidence> DecodeTeeEvidence(PlatformKind tee, const Json& evidence);

// DecodeSnpReportJson puts the 1184 bytes of an SNP report together from the JSON of the `sev` crate's structure.
// Errors: kMalformed (a member is missing, of another type or length, or does not belong there).
Result<std::vector<std::byte>> DecodeSnpReportJson(const Json& report);

}  // namespace soter
