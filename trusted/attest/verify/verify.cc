#include "trusted/attest/verify/verify.h"

#include "common/base/hex.h"
#include "trusted/attest/verify/context.h"
#include "trusted/attest/verify/timestamp.h"

namespace soter {
namespace internal {

bool CheckCertificateDates(const char* name, std::span<const Certificate> certificates, VerifyContext& context) {
  int64_t time_s = context.inputs.time_s, first_end = INT64_MAX;
  for (const Certificate& certificate : certificates) {
    first_end = std::min(first_end, certificate.not_after());
    if (time_s >= certificate.not_before() && time_s <= certificate.not_after()) continue;
    context.checks.Fail(name,
                        '"' + certificate.subject_name() + "\" is valid from " +
                            FormatTimestamp(certificate.not_before()) + " to " +
                            FormatTimestamp(certificate.not_after()) + ", not at " + FormatTimestamp(time_s),
                        "certificates that are valid at the verification time");
    return false;
  }
  context.checks.Pass(name, "all are valid until " + FormatTimestamp(first_end));
  return true;
}

Status ListIsCurrent(const RevocationList& list, int64_t time_s) {
  if (time_s < list.this_update()) return AuthError("a revocation list is from after the verification time");
  if (time_s > list.next_update())
    return AuthError("a revocation list expired " + FormatTimestamp(list.next_update()));
  return {};
}

void CheckPinned(const char* name, ByteView value, const std::vector<std::string>& accepted, bool any,
                 const char* setting, VerifyContext& context) {
  if (any && accepted.empty())
    return context.checks.Skip(name, "the policy accepts any: " + EncodeHex(value),
                               std::string("list it in ") + setting);
  context.checks.Decide(name, Contains(accepted, EncodeHex(value)), EncodeHex(value),
                        accepted.empty() ? std::string("the policy pins none: list the accepted ones in ") + setting
                                         : std::string("one of those in ") + setting);
}

void CheckIfAsked(const char* name, ByteView value, const std::vector<std::string>& accepted, const char* setting,
                  VerifyContext& context) {
  if (!accepted.empty()) CheckPinned(name, value, accepted, false, setting, context);
}

Status CheckSignature(EcdsaKind kind, const Certificate& signer, ByteView message, ByteView signature) {
  return VerifyEcdsa(kind, TRY(signer.EcPublicKey()), message, signature);
}

Result<std::vector<Certificate>> ParseCertificates(std::span<const std::vector<std::byte>> ders) {
  std::vector<Certificate> certificates;
  for (const std::vector<std::byte>& der : ders) certificates.push_back(TRY(Certificate::FromDer(der)));
  return certificates;
}

Result<std::vector<Certificate>> ParsePemCertificates(std::string_view pem) {
  std::vector<Certificate> certificates;
  for (const PemBlock& block : TRY(ReadPem(pem))) {
    if (block.label != "CERTIFICATE") return Malformed("a PEM block is a " + block.label + ", not a CERTIFICATE");
    certificates.push_back(TRY(Certificate::FromDer(block.der)));
  }
  return certificates;
}

namespace {

void CheckWorkload(const WorkloadClaims& claims, VerifyContext& context) {
  const WorkloadPolicy& policy = context.inputs.policy.workload;
  auto pinned = [&](const char* name, const std::string& actual, const std::vector<std::string>& accepted) {
    if (!accepted.empty())
      context.checks.Decide(name, Contains(accepted, actual), "the enclave claims \"" + actual + "\"",
                            std::string("an enclave that claims what the policy's ") + name + " says");
  };
  auto one = [](const std::string& text) { return text.empty() ? std::vector<std::string>() : std::vector{text}; };
  pinned("workload.purpose", claims.purpose, one(policy.purpose));
  pinned("workload.nonce", EncodeHex(claims.nonce), one(policy.nonce));
  pinned("workload.model_digest", EncodeHex(claims.model_digest), one(policy.model_digest));
  pinned("workload.scheme", claims.scheme, policy.schemes);
  pinned("workload.check", claims.check, policy.checks);
}

// report_data either commits to workload claims or is the verifier's own value.
void CheckReportData(const Evidence& evidence, VerifyContext& context) {
  const Policy& policy = context.inputs.policy;
  if (!policy.report_data.empty())
    CheckPinned("report_data", context.claims.report_data, {policy.report_data}, false, "report_data", context);
  if (evidence.claims.empty()) {
    if (policy.workload.pins_anything())
      context.checks.Fail("workload.claims", "the evidence carries no claims of the enclave",
                          "evidence in our bundle or an RA-TLS certificate, or a policy without [workload]");
    return;
  }
  std::array<std::byte, 64> expected = ReportDataOf(evidence.claims);
  bool bound = std::equal(expected.begin(), expected.end(), context.claims.report_data.begin(),
                          context.claims.report_data.end());
  context.checks.Decide("workload.binding", bound, "report_data against the hash of the claims",
                        "the claims that the enclave made for this report");
  Result<WorkloadClaims> claims = DecodeClaims(evidence.claims);
  if (!context.checks.Decide("workload.claims", claims, "the claims decode",
                             "claims as docs/spec/attestation.md, 3, has them"))
    return;
  context.claims.workload = *claims;
  CheckWorkload(*claims, context);
}

void VerifyPlatform(const Evidence& evidence, VerifyContext& context) {
  context.claims.platform = evidence.platform;
  context.checks.Decide("platform", Contains(context.inputs.policy.platforms, evidence.platform),
                        std::string("the evidence is of ") + std::string(PlatformName(evidence.platform)),
                        "evidence of a platform in platforms");
  switch (evidence.platform) {
    case PlatformKind::kSnp: return VerifySnp(evidence, context);
    case PlatformKind::kSgx:
    case PlatformKind::kTdx: return VerifyQuote(evidence, context);
    case PlatformKind::kDev: return VerifyDev(evidence, context);
  }
  CHECK(false, "a platform without a verifier");
}

}  // namespace
}  // namespace internal

Result<VerifiedEvidence> Verdict::Accept() const {
  for (const EvidenceCheck& check : checks_.checks())
    if (check.outcome == CheckOutcome::kFailed)
      return AuthError("attestation refused: " + check.name + ": " + check.why + "; wanted: " + check.remedy);
  if (!accepted()) return AuthError("attestation refused: nothing was checked");
  return VerifiedEvidence(claims_);
}

Verdict VerifyEvidence(const Evidence& evidence, const VerifyInputs& inputs) {
  CheckList checks;
  EvidenceClaims claims;
  internal::VerifyContext context = {inputs, checks, claims};
  internal::VerifyPlatform(evidence, context);
  if (!claims.report_data.empty()) internal::CheckReportData(evidence, context);
  return Verdict(std::move(checks), std::move(claims));
}

}  // namespace soter
