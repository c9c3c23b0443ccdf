#include "trusted/attest/produce.h"

namespace soter {
namespace {

constexpr size_t kMinNonceBytes = 16, kMaxNonceBytes = 64;

}  // namespace

Result<Evidence> ProduceEvidence(Platform& platform, const WorkloadClaims& claims) {
  if (claims.purpose.empty()) return InvalidArgument("evidence needs a purpose: one report, one use");
  std::vector<std::byte> encoded = EncodeClaims(claims);
  Evidence evidence = TRY(ProduceRawEvidence(platform, ReportDataOf(encoded)));
  evidence.claims = std::move(encoded);
  return evidence;
}

Result<Evidence> ProduceRawEvidence(Platform& platform, const ReportData& report_data) {
  PlatformReport report = TRY(platform.Produce(report_data));
  return Evidence{.platform = platform.kind(),
                  .report = std::move(report.report),
                  .certificates = std::move(report.certificates)};
}

Result<std::string> AttestToJson(Platform& platform, ByteView nonce, WorkloadClaims claims) {
  if (nonce.size() < kMinNonceBytes || nonce.size() > kMaxNonceBytes)
    return InvalidArgument("a nonce is 16 to 64 bytes: fewer could be guessed or repeat");
  claims.purpose = kAttestPurpose;
  claims.nonce.assign(nonce.begin(), nonce.end());
  return EncodeEvidence(TRY(ProduceEvidence(platform, claims)));
}

}  // namespace soter
