#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "trusted/attest/verify/policy.h"

namespace soter {

// ReleasePolicy says which enclaves get a key, and until when: a policy of `soter verify` and a table [release]
// (docs/spec/key-release.md, 6.1).
struct ReleasePolicy {
  Policy evidence;
  std::string digest;                            // SHA-256 of the file, hexadecimal
  std::optional<int64_t> expires_s;              // seconds since 1970
  uint64_t min_version = 0;                      // of the model
  std::optional<uint64_t> activations;           // in all; absent: any number
  std::optional<uint64_t> activations_per_device;
  std::string min_scheme, min_check;             // empty: the model's own
  uint64_t lease_starts = 0;                     // 0: no lease
  int64_t lease_days = 0;

  bool AcceptsDev() const;
};

// ParseReleasePolicy reads P.toml. Errors: kMalformed (not our part of TOML), kInvalidArgument (an unknown or impossible
// setting; one that has no place in a release policy).
Result<ReleasePolicy> ParseReleasePolicy(std::string_view toml);

}  // namespace soter
