#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/secret_bytes.h"
#include "trusted/seal/sealed_model.h"

namespace soter {

inline constexpr size_t kMaxResourceBytes = 16 * 1024;

// LeaseGrant allows starts without the broker.
struct LeaseGrant {
  uint32_t starts;
  int64_t not_after_s;  // since 1970
};

// ReleasedResource is what a broker hands to an enclave (docs/spec/key-release.md, 4).
struct ReleasedResource {
  SecretBytes identity;
  std::string signer;
  ReleaseTerms terms;
  std::optional<LeaseGrant> lease;
};

// DecodeReleasedResource reads it. The identity is copied nowhere else; `text` no longer holds it afterwards.
// Errors: kMalformed (which member).
Result<ReleasedResource> DecodeReleasedResource(SecretBytes& text);

}  // namespace soter
