#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "trusted/attest/verify/snp_report.h"
#include "trusted/crypto/hash.h"

namespace soter {

// TrustAnchors holds the SHA-256 of the SubjectPublicKeyInfo of each vendor root key that is trusted.
// Tests make their own; everything else uses PinnedRoots().
struct TrustAnchors {
  struct AmdRoot {
    SnpLine line;
    Sha256::Digest key_digest;
  };
  std::vector<AmdRoot> amd;
  Sha256::Digest intel = {};
};

// PinnedRoots returns the vendors' own roots; their origin stands beside them in roots.cc.
const TrustAnchors& PinnedRoots();

}  // namespace soter
