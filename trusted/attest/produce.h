#pragma once

#include "common/base/result.h"
#include "trusted/attest/evidence.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/tee/platform.h"

namespace soter {

// ProduceEvidence has `platform` sign the hash of `claims`. A report serves one purpose and one nonce: for another,
// produce another. Errors: kInvalidArgument (no purpose), those of Platform::Produce.
Result<Evidence> ProduceEvidence(Platform& platform, const WorkloadClaims& claims);

// ProduceRawEvidence has `platform` sign `report_data` itself, for a protocol that fixes these 64 bytes (key release).
// Such evidence carries no claims: the protocol must bind key, nonce and claims into them, under a hash whose value
// cannot be taken for a ReportDataOf. Errors: those of Platform::Produce.
Result<Evidence> ProduceRawEvidence(Platform& platform, const ReportData& report_data);

// AttestToJson is `soter attest --nonce`: evidence for a verifier that chose `nonce`, as a JSON bundle. Purpose and
// nonce of `claims` are filled in here. Errors: kInvalidArgument (a nonce under 16 or over 64 bytes), those of
// ProduceEvidence.
Result<std::string> AttestToJson(Platform& platform, ByteView nonce, WorkloadClaims claims = {});

}  // namespace soter
