#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "trusted/crypto/hash.h"

namespace soter {

// KeyHash is the hash of a public key as RA-TLS names it.
struct KeyHash {
  uint64_t algorithm = 1;  // IANA Named Information Hash Algorithm registry: 1, 7, 8 are SHA-256, -384, -512
  std::vector<std::byte> digest;

  // Of hashes a SubjectPublicKeyInfo with SHA-256.
  static KeyHash Of(ByteView public_key_der);
  // Matches tells whether this is the hash of `public_key_der`.
  bool Matches(ByteView public_key_der) const;
};

// What a report is made for: one report, one use.
inline constexpr char kRaTlsPurpose[] = "ra-tls", kKeyReleasePurpose[] = "key-release", kAttestPurpose[] = "attest";

// WorkloadClaims is what an enclave says of itself; report_data commits to its encoding, so the platform's
// signature covers it (docs/spec/attestation.md, 3). Empty fields are absent.
struct WorkloadClaims {
  std::string purpose;                     // one of the three above
  std::vector<std::byte> nonce;            // the verifier's, at most 64 bytes
  std::optional<KeyHash> public_key_hash;  // of a SubjectPublicKeyInfo
  std::vector<std::byte> model_digest;     // of the sealed model
  std::string scheme;                      // e.g. "soter", "masked"
  std::string check;                       // e.g. "freivalds"
};

// EncodeClaims writes the CBOR map that RA-TLS calls claims.
std::vector<std::byte> EncodeClaims(const WorkloadClaims& claims);

// DecodeClaims reads such a map; keys it does not know are passed over. Errors: kMalformed (not such a map, a
// known key twice), kUnsupported (the public key's hash is no SHA-2).
Result<WorkloadClaims> DecodeClaims(ByteView claims);

// ReportDataOf returns the 64 bytes that commit to `claims`: SHA-256, then zeros.
std::array<std::byte, 64> ReportDataOf(ByteView claims);

}  // namespace soter
