#pragma once

#include <cstdint>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/secret_bytes.h"
#include "trusted/tee/platform.h"

namespace soter {

inline constexpr size_t kMaxLeaseBytes = 32 * 1024;

// Lease is a released resource that an enclave keeps for starts without the broker (docs/spec/key-release.md, 8).
struct Lease {
  uint32_t starts_allowed;
  uint32_t starts_used;
  int64_t not_after_s;   // since 1970
  SecretBytes resource;  // as it was released
};

// SealLease encrypts a lease to this machine and this code. Errors: kUnsupported (the platform has no sealing key),
// kUnavailable (it gives none; no randomness).
Result<std::vector<std::byte>> SealLease(const Lease& lease, Platform& platform);

// OpenLease is its inverse. Errors: kAuth (no lease, changed, or sealed by another machine or other code), and those of
// SealLease.
Result<Lease> OpenLease(ByteView sealed, Platform& platform);

// UseLease counts one start. Errors: kAuth (used up, or expired by the host's clock).
Status UseLease(Lease& lease, int64_t now_s);

}  // namespace soter
