// A quote, its PCK certificate's description of the platform and Intel's two statements, signed by a vendor of our own,
// so that what lies behind the signatures is reached. One input is five pieces, each after its length in two bytes:
// header and body, the quoting enclave's report, the PCK certificate's extension, TCB info, QE identity.
#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/reader.h"
#include "common/base/writer.h"
#include "tests/attest/test_authority.h"

namespace soter {
namespace {

constexpr size_t kQeReportBytes = 384, kReportDataOffset = 320;

struct Vendor {
  TestKey root_key{"P-256"}, ca_key{"P-256"}, pck{"P-256"}, tcb{"P-256"}, attestation{"P-256"};
  Certificate root = Issue({.name = "Root", .issuer_name = "Root", .is_ca = true}, root_key, root_key);
  Certificate ca = Issue({.name = "CA", .issuer_name = "Root", .is_ca = true}, ca_key, root_key);
  Certificate signer = Issue({.name = "Intel SGX TCB Signing", .issuer_name = "Root"}, tcb, root_key);
  RevocationList root_list = IssueList({.issuer_name = "Root"}, root_key), ca_list = IssueList({.issuer_name = "CA"}, ca_key);
};

const Vendor& TheVendor() {
  static const Vendor vendor;
  return vendor;
}

using Pieces = std::array<ByteView, 5>;

Result<Pieces> Split(ByteView input) {
  Reader reader(input);
  Pieces pieces;
  for (ByteView& piece : pieces) piece = TRY(reader.ReadBytes(TRY(reader.ReadNumber<uint16_t>())));
  return pieces;
}

std::vector<std::byte> MakeQuote(const Pieces& pieces, const std::string& chain) {
  const Vendor& vendor = TheVendor();
  std::vector<std::byte> point = vendor.attestation.Point(), qe(kQeReportBytes);
  std::copy_n(pieces[1].begin(), std::min(pieces[1].size(), qe.size()), qe.begin());
  std::array<std::byte, 64> binding = ReportDataOf(point);
  std::copy(binding.begin(), binding.end(), qe.begin() + kReportDataOffset);
  Writer inner, outer, quote;
  inner.WriteBytes(qe), inner.WriteBytes(vendor.pck.Sign(qe));
  inner.WriteNumber<uint16_t>(0), inner.WriteNumber<uint16_t>(5), inner.WriteString(chain);
  outer.WriteBytes(vendor.attestation.Sign(pieces[0])), outer.WriteBytes(point);
  bool nested = pieces[0].empty() || pieces[0][0] != std::byte{3};
  if (nested) outer.WriteNumber<uint16_t>(6), outer.WriteCount(inner.size());
  outer.WriteBytes(inner.bytes());
  quote.WriteBytes(pieces[0]), quote.WriteCount(outer.size()), quote.WriteBytes(outer.bytes());
  return std::move(quote).Take();
}

// The same as it comes from Intel's service, in pieces.
Collateral AsAnswers(const IntelCollateral& intel) {
  return {.intel_statements = {.tcb_infos = {{intel.tcb_info, intel.tcb_info_signature}},
                               .qe_identities = {{intel.qe_identity, intel.qe_identity_signature}}},
          .certificates = {intel.tcb_info_issuer_chain[0]},
          .revocation_lists = {intel.root_crl, intel.pck_crl}};
}

void Exercise(ByteView input) {
  Result<Pieces> pieces = Split(input);
  if (!pieces.ok()) return;
  const Vendor& vendor = TheVendor();
  TestCertificate pck = {.name = "Intel SGX PCK Certificate", .issuer_name = "CA"};
  pck.extensions = {{"1.2.840.113741.1.13.1", {(*pieces)[2].begin(), (*pieces)[2].end()}}};
  std::string chain = ToPem({Issue(pck, vendor.pck, vendor.ca_key), vendor.ca, vendor.root});
  std::string info(AsText((*pieces)[3])), identity(AsText((*pieces)[4]));
  Collateral collateral = {.intel = IntelCollateral{.pck_crl_issuer_chain = {vendor.ca, vendor.root},
                                                    .root_crl = vendor.root_list,
                                                    .pck_crl = vendor.ca_list,
                                                    .tcb_info_issuer_chain = {vendor.signer, vendor.root},
                                                    .tcb_info = info,
                                                    .tcb_info_signature = vendor.tcb.Sign(AsBytes(info)),
                                                    .qe_identity_issuer_chain = {vendor.signer, vendor.root},
                                                    .qe_identity = identity,
                                                    .qe_identity_signature = vendor.tcb.Sign(AsBytes(identity))}};
  Policy policy;
  policy.platforms = {PlatformKind::kSgx, PlatformKind::kTdx};
  policy.sgx.any_measurement_insecure = policy.tdx.any_measurement_insecure = true;
  TrustAnchors anchors = {.amd = {}, .intel = vendor.root.PublicKeyDigest()};
  for (PlatformKind kind : {PlatformKind::kSgx, PlatformKind::kTdx}) {
    Evidence evidence = {.platform = kind, .report = MakeQuote(*pieces, chain)};
    Verdict verdict = VerifyEvidence(evidence, {policy, collateral, kTestNow, anchors});
    const EvidenceClaims& claims = verdict.unverified_claims();
    CHECK(VerifyEvidence(evidence, {policy, AsAnswers(*collateral.intel), kTestNow, anchors}).accepted() ==
              verdict.accepted(),
          "the packing of collateral changes the verdict");
    if (verdict.accepted()) CHECK(!claims.debug && claims.tcb_status == "UpToDate", "a weak platform is accepted");
  }
}

}  // namespace
}  // namespace soter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::Exercise(std::as_bytes(std::span(data, size)));
  return 0;
}
