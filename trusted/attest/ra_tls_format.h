#pragma once

#include "common/base/result.h"
#include "trusted/attest/evidence.h"

namespace soter {

// The X.509 extension that carries evidence (TCG DICE "tagged evidence"), non-critical.
inline constexpr char kRaTlsEvidenceOid[] = "2.23.133.5.4.9";

// EncodeRaTlsEvidence writes the extension's content: a tagged CBOR array of report and claims, and of the
// certificates where the platform's reports do not carry their own (docs/spec/attestation.md, 6).
std::vector<std::byte> EncodeRaTlsEvidence(const Evidence& evidence);

// DecodeRaTlsEvidence reads such content. Errors: kMalformed, kUnsupported (another tag).
Result<Evidence> DecodeRaTlsEvidence(ByteView content);

}  // namespace soter
