#pragma once

#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "trusted/tee/platform_kind.h"

namespace soter {

// Evidence is what an enclave hands out for others to verify (docs/spec/attestation.md, 2). None of it is
// verified; VerifyEvidence (trusted/attest/verify/verify.h) decides what it is worth.
struct Evidence {
  PlatformKind platform = PlatformKind::kDev;
  std::vector<std::byte> report;                     // the platform's own bytes: quote, SNP report, dev report
  std::vector<std::vector<std::byte>> certificates;  // DER, leaf first; empty where the report carries its chain
  std::vector<std::byte> claims;                     // what report_data commits to; empty where it is raw
};

// EncodeEvidence writes the JSON bundle of docs/spec/attestation.md, 2.1.
std::string EncodeEvidence(const Evidence& evidence);

}  // namespace soter
