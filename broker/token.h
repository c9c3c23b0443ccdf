#pragma once

#include <string>
#include <vector>

#include "trusted/attest/verify/verify.h"
#include "trusted/crypto/ec_key.h"
#include "trusted/jose/jwt.h"

// What the broker hands to an enclave whose evidence it accepted (docs/spec/key-release.md, 3.4).
namespace soter {

// Attested is an enclave whose evidence at least one policy accepted.
struct Attested {
  const VerifiedEvidence& evidence;
  bool gives_something_up;            // a check was skipped, or the like: a warning to others who read the token
  std::string device;                 // DeviceOf
  std::vector<std::string> policies;  // digests of those that it satisfied
  std::string nonce;
  Json tee_key;                       // as the enclave sent it
};

// kVlekDevice begins the name of a machine whose host can hide or change its id: a VLEK vouches for a provider, no chip.
inline constexpr char kVlekDevice[] = "snp-vlek:";

// DeviceOf names the machine that evidence is of: "snp:", "intel:", "dev:" or kVlekDevice and its id; empty where it
// names none.
std::string DeviceOf(const EvidenceClaims& claims);

struct IssuedToken {
  std::string text;
  std::string id;
};

// IssueToken signs a token that is good for Sessions::kTokenSeconds. Errors: kUnavailable (no randomness).
Result<IssuedToken> IssueToken(const EcPrivateKey& key, const Attested& attested, int64_t now_s);

// TokenContent is what the broker believes of a token that it signed itself.
struct TokenContent {
  std::string id;
  std::string device;
  std::vector<std::string> policies;
  EcPublicJwk tee_key;
};

// ReadToken verifies a token of this broker. Errors: kAuth (another's, expired), kMalformed, kUnsupported.
Result<TokenContent> ReadToken(const EcPrivateKey& key, std::string_view token, int64_t now_s);

}  // namespace soter
