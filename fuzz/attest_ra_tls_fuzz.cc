// RA-TLS certificates: one input is the content of the evidence extension in a certificate that is signed properly, and
// the same bytes as a whole certificate. Nothing is accepted without a platform's signature.
#include <cstdint>

#include "trusted/attest/ra_tls_format.h"
#include "trusted/attest/verify/evidence_file.h"
#include "trusted/crypto/tls_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace soter;
  constexpr int64_t kNow = 1750000000;
  static const TlsKey key = TlsKey::Generate().value();
  static const Policy policy = [] {
    Policy all;
    all.platforms = {PlatformKind::kSgx, PlatformKind::kTdx, PlatformKind::kSnp, PlatformKind::kDev};
    all.snp.any_measurement_insecure = all.sgx.any_measurement_insecure = all.tdx.any_measurement_insecure = true;
    return all;
  }();
  static const Collateral none;
  ByteView bytes = std::as_bytes(std::span(data, size));
  Result<Certificate> made = key.SelfSign({.common_name = "fuzz",
                                           .not_before = kNow - 1,
                                           .not_after = kNow + 1,
                                           .extension_oid = kRaTlsEvidenceOid,
                                           .extension = bytes});
  CHECK(made.ok() && !VerifyRaTls(*made, {policy, none, kNow}).accepted(), "evidence out of thin air");
  Result<Certificate> given = Certificate::FromDer(bytes);
  if (given.ok()) CHECK(!VerifyRaTls(*given, {policy, none, kNow}).accepted(), "evidence out of thin air");
  return 0;
}
