#pragma once

#include <variant>

#include "common/base/bytes.h"
#include "trusted/attest/verify/verify.h"

namespace soter {

// EvidenceFile is what one file of evidence holds: evidence, or an RA-TLS certificate.
using EvidenceFile = std::variant<Evidence, Certificate>;

// ParseEvidenceFile tells by the content which it is: our JSON bundle, a raw SNP report, a raw DCAP quote, a raw dev
// report, or one certificate in PEM or DER.
// Errors: kMalformed (none of these; names them).
Result<EvidenceFile> ParseEvidenceFile(ByteView file);

// AddCollateral adds what one file holds to `collateral`: Intel's collateral as JSON, or certificates and revocation
// lists in PEM or DER. Errors: kMalformed.
Status AddCollateral(ByteView file, Collateral& collateral);

// VerifyFile is VerifyEvidence or VerifyRaTls, as the content asks for.
Verdict VerifyFile(const EvidenceFile& file, const VerifyInputs& inputs);

}  // namespace soter
