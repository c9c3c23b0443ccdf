#pragma once

#include <array>
#include <string>
#include <string_view>

#include "trusted/attest/verify/verify.h"
#include "trusted/jose/jwk.h"

// The requests of the key broker protocol, read from bytes (docs/spec/key-release.md, 3).
namespace soter {

struct AuthRequest {
  PlatformKind tee;
  bool lists_hash_algorithms;  // and sha384 is one of them
};

// DecodeAuthRequest reads the body of /auth. Errors: kMalformed; kUnsupported (another version than `kbs_version`, a TEE
// that is not known, no SHA-384).
Result<AuthRequest> DecodeAuthRequest(std::string_view body, std::string_view kbs_version);

struct AttestRequest {
  std::string nonce;       // as text
  Json tee_key;            // as it was sent
  EcPublicJwk key;         // the same, decoded
  Json evidence;           // of the TEE; DecodeTeeEvidence reads it
};

// DecodeAttestRequest reads the body of /attest. Errors: kMalformed; kUnsupported (additional evidence, init data, a key
// for another algorithm or on P-384, which Trustee does not have).
Result<AttestRequest> DecodeAttestRequest(std::string_view body);

// ExpectedReportData is what evidence for this request must hold: it binds the nonce and the key.
// Errors: kUnsupported (the key has members without a canonical form).
Result<std::array<std::byte, 64>> ExpectedReportData(const AttestRequest& request);

// IsResourcePath is true for "repo/type/tag" of permitted parts.
bool IsResourcePath(std::string_view path);

}  // namespace soter
