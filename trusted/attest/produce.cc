#include "trusted/attest/produce.h"

namespace soter {
namespace {

constexpr size_t kMinNonceBytes = 16, kMaxNonceBytes = 64;

}  // namespace

Result<Evidence> ProduceEvidence(Platform& platform, const WorkloadClaims& claims) {
  if (claims.purpose.empty()) return InvalidArgument("evidence needs a purpose: one report, one use");
  Evidence evidence = {.platform = platform.kind(), .claims = EncodeClaims(claims)};
  PlatformReport report = TRY(platform.Produce(ReportDataOf(evidence.claims)));
  evidence.report = std::move(report.report);
  evidence.certificates = std::move(report.certificates);
  return evidence;
}

Result<std::string> AttestToJson(Platform& platform, ByteView nonce) {
  if (nonce.size() < kMinNonceBytes || nonce.size() > kMaxNonceBytes)
    return InvalidArgument("a nonce is 16 to 64 bytes: fewer could be guessed or repeat");
  WorkloadClaims claims = {.purpose = "attest", .nonce = {nonce.begin(), nonce.end()}};
  return EncodeEvidence(TRY(ProduceEvidence(platform, claims)));
}

}  // namespace soter
