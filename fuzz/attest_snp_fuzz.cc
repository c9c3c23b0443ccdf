// An SNP report and the extensions of its certificate, signed by a vendor of our own, so that what lies behind the
// signatures is reached. One input is the line (one byte), seven extensions (a length byte and the content each) and
// the report's 672 signed bytes, which may end early.
#include <algorithm>
#include <cstdint>

#include "common/base/reader.h"
#include "tests/attest/test_authority.h"

namespace soter {
namespace {

constexpr const char* kOids[] = {"1.3.6.1.4.1.3704.1.2",   "1.3.6.1.4.1.3704.1.3.1", "1.3.6.1.4.1.3704.1.3.2",
                                 "1.3.6.1.4.1.3704.1.3.3", "1.3.6.1.4.1.3704.1.3.8", "1.3.6.1.4.1.3704.1.3.9",
                                 "1.3.6.1.4.1.3704.1.4"};
constexpr size_t kSignedBytes = 0x2a0;

struct Vendor {
  TestKey ark{"P-384"}, ask{"P-384"}, leaf{"P-384"};
  Certificate root = Issue({.name = "ARK", .issuer_name = "ARK", .is_ca = true}, ark, ark);
  Certificate intermediate = Issue({.name = "SEV", .issuer_name = "ARK", .is_ca = true}, ask, ark);
};

void Exercise(ByteView input) {
  static const Vendor vendor;
  Reader reader(input);
  Result<uint8_t> choice = reader.ReadNumber<uint8_t>();
  if (!choice.ok()) return;
  TestCertificate leaf = {.name = *choice & 4 ? "SEV-VLEK" : "SEV-VCEK", .issuer_name = "SEV"};
  for (const char* oid : kOids) {
    Result<uint8_t> size = reader.ReadNumber<uint8_t>();
    Result<ByteView> content = size.ok() ? reader.ReadBytes(*size) : Result<ByteView>(size.error());
    if (!content.ok()) return;
    if (!content->empty()) leaf.extensions.push_back({oid, {content->begin(), content->end()}});
  }
  std::vector<std::byte> report(kSnpReportBytes);
  ByteView given = reader.ReadBytes(std::min(reader.remaining(), kSignedBytes)).value();
  std::copy(given.begin(), given.end(), report.begin());
  std::vector<std::byte> signature = vendor.leaf.Sign(ByteView(report).first(kSignedBytes));
  std::reverse_copy(signature.begin(), signature.begin() + 48, report.begin() + kSignedBytes);
  std::reverse_copy(signature.begin() + 48, signature.end(), report.begin() + kSignedBytes + 72);
  Evidence evidence = {.platform = PlatformKind::kSnp, .report = std::move(report)};
  evidence.certificates = {Issue(leaf, vendor.leaf, vendor.ask).ToDer(), vendor.intermediate.ToDer(), vendor.root.ToDer()};
  Policy policy;
  policy.platforms = {PlatformKind::kSnp};
  policy.snp.any_measurement_insecure = true;
  TrustAnchors anchors = {.amd = {{static_cast<SnpLine>(*choice % 4 % 3), vendor.root.PublicKeyDigest()}}, .intel = {}};
  Verdict verdict = VerifyEvidence(evidence, {policy, {}, kTestNow, anchors});
  if (verdict.accepted()) CHECK(!verdict.unverified_claims().debug, "a guest that its host may read is accepted");
}

}  // namespace
}  // namespace soter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::Exercise(std::as_bytes(std::span(data, size)));
  return 0;
}
