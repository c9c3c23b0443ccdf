// What clients of the broker send: the first byte says which request the rest is. Nothing here is believed by parsing;
// what parses has report_data, and evidence that decodes is a report of one TEE.
#include <cstddef>
#include <cstdint>

#include "broker/evidence_json.h"
#include "broker/messages.h"
#include "trusted/attest/verify/snp_report.h"

namespace {

void Attest(std::string_view body) {
  soter::Result<soter::AttestRequest> request = soter::DecodeAttestRequest(body);
  if (!request.ok()) return;
  (void)soter::ExpectedReportData(*request);
  using soter::PlatformKind;
  for (PlatformKind tee : {PlatformKind::kDev, PlatformKind::kSgx, PlatformKind::kTdx, PlatformKind::kSnp}) {
    soter::Result<soter::Evidence> evidence = soter::DecodeTeeEvidence(tee, request->evidence);
    CHECK(!evidence.ok() || evidence->platform == tee, "evidence of another TEE than was asked for");
  }
}

void SnpReport(std::string_view text) {
  soter::Result<soter::Json> json = soter::ParseJson(text);
  if (!json.ok()) return;
  soter::Result<std::vector<std::byte>> report = soter::DecodeSnpReportJson(*json);
  if (!report.ok()) return;
  CHECK(report->size() == soter::kSnpReportBytes, "an SNP report of another size");
  (void)soter::ParseSnpReport(*report);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'a': (void)soter::DecodeAuthRequest(rest, "0.4.0"); break;
    case 't': Attest(rest); break;
    case 's': SnpReport(rest); break;
    default: (void)soter::IsResourcePath(rest); break;
  }
  return 0;
}
