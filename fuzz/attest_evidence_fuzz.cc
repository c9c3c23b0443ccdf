// Evidence of any kind from outside: parsing and judging it must not crash, and nothing is accepted without its
// vendor.
#include <cstdint>

#include "trusted/attest/verify/evidence_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace soter;
  static const Policy policy = [] {
    Policy all;
    all.platforms = {PlatformKind::kSgx, PlatformKind::kTdx, PlatformKind::kSnp, PlatformKind::kDev};
    all.snp.any_measurement_insecure = all.sgx.any_measurement_insecure = all.tdx.any_measurement_insecure = true;
    return all;
  }();
  static const Collateral none;
  Result<EvidenceFile> file = ParseEvidenceFile(std::as_bytes(std::span(data, size)));
  if (file.ok()) CHECK(!VerifyFile(*file, {policy, none, 1750000000}).accepted(), "evidence out of thin air");
  return 0;
}
