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
                        accepted.empty() ? std::string("a policy that lists the accepted ones in ") + setting
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

std::string AnyOf(const std::vector<std::string>& accepted) {
  std::string text;
  for (const std::string& one : accepted) text += (text.empty() ? "\"" : " or \"") + one + "\"";
  return text;
}

void CheckWorkload(const WorkloadClaims& claims, VerifyContext& context) {
  const WorkloadPolicy& policy = context.inputs.policy.workload;
  auto pinned = [&](const char* name, const std::string& actual, const std::vector<std::string>& accepted) {
    if (accepted.empty()) return;
    std::string said = actual.empty() ? "the enclave claims nothing" : "the enclave claims \"" + actual + "\"";
    context.checks.Decide(name, Contains(accepted, actual), said, "an enclave that claims " + AnyOf(accepted));
  };
  auto one = [](const std::string& text) { return text.empty() ? std::vector<std::string>() : std::vector{text}; };
  pinned("workload.purpose", claims.purpose, one(policy.purpose));
  pinned("workload.nonce", EncodeHex(claims.nonce), one(policy.nonce));
  if (policy.nonce.empty() && claims.purpose == kAttestPurpose)
    context.checks.Skip("workload.nonce", "the policy pins no nonce: this may be the evidence of another day",
                        "the nonce that was given to soter attest, as [workload] nonce");
  pinned("workload.model_digest", EncodeHex(claims.model_digest), one(policy.model_digest));
  pinned("workload.scheme", claims.scheme, policy.schemes);
  // mlcapsule leaves nothing to the accelerator that could be checked; whether it will do is what schemes says.
  if (claims.scheme != "mlcapsule") pinned("workload.check", claims.check, policy.checks);
}

void CheckClaims(ByteView encoded, VerifyContext& context) {
  Result<WorkloadClaims> claims = DecodeClaims(encoded);
  if (!context.checks.Decide("workload.claims", claims, "the claims decode",
                             "claims as docs/spec/attestation.md, 3, has them"))
    return;
  context.claims.workload = *claims;
  CheckWorkload(*claims, context);
}

void FailWithoutClaims(VerifyContext& context) {
  context.checks.Fail("workload.claims", "the evidence carries no claims of the enclave",
                      "evidence in our bundle or an RA-TLS certificate, or a policy without [workload]");
}

bool ReportDataIs(const std::array<std::byte, 64>& expected, const VerifyContext& context) {
  const std::vector<std::byte>& actual = context.claims.report_data;
  return std::equal(expected.begin(), expected.end(), actual.begin(), actual.end());
}

void CheckPinnedReportData(VerifyContext& context) {
  const std::string& pinned = context.inputs.policy.report_data;
  if (pinned.empty()) return;
  CheckPinned("report_data", context.claims.report_data, {pinned}, false, "report_data", context);
}

// report_data either commits to workload claims or is the verifier's own value.
void CheckReportData(const Evidence& evidence, VerifyContext& context) {
  CheckPinnedReportData(context);
  if (evidence.claims.empty()) {
    if (context.inputs.policy.workload.pins_anything()) FailWithoutClaims(context);
    return;
  }
  bool bound = ReportDataIs(ReportDataOf(evidence.claims), context);
  context.checks.Decide("workload.binding", bound,
                        bound ? "report_data is the hash of the claims" : "report_data is not the hash of the claims",
                        "the claims that the enclave made for this report");
  CheckClaims(evidence.claims, context);
}

void CheckBoundData(const std::array<std::byte, 64>& report_data, ByteView claims, VerifyContext& context) {
  CheckPinnedReportData(context);
  bool bound = ReportDataIs(report_data, context);
  context.checks.Decide("report_data.binding", bound,
                        bound ? "report_data commits to this exchange" : "report_data commits to something else",
                        "evidence made for this exchange");
  if (!claims.empty()) return CheckClaims(claims, context);
  if (context.inputs.policy.workload.pins_anything()) FailWithoutClaims(context);
}

void VerifyPlatform(const Evidence& evidence, VerifyContext& context) {
  context.claims.platform = evidence.platform;
  std::vector<std::string> accepted;
  for (PlatformKind kind : context.inputs.policy.platforms) accepted.emplace_back(PlatformName(kind));
  std::string name(PlatformName(evidence.platform));
  context.checks.Decide("platform", Contains(accepted, name), "the evidence is of " + name,
                        "evidence of " + AnyOf(accepted) + " (platforms)");
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

namespace {

// `check_report_data` is given the context once the platform's report could be read at all.
template <typename F>
Verdict VerifyWith(const Evidence& evidence, const VerifyInputs& inputs, F check_report_data) {
  CheckList checks;
  EvidenceClaims claims;
  internal::VerifyContext context = {inputs, checks, claims};
  internal::VerifyPlatform(evidence, context);
  if (!claims.report_data.empty()) check_report_data(context);
  return Verdict(std::move(checks), std::move(claims));
}

}  // namespace

Verdict VerifyEvidence(const Evidence& evidence, const VerifyInputs& inputs) {
  return VerifyWith(evidence, inputs, [&](auto& context) { internal::CheckReportData(evidence, context); });
}

Verdict VerifyBound(const Evidence& evidence, const std::array<std::byte, 64>& report_data, ByteView claims,
                    const VerifyInputs& inputs) {
  return VerifyWith(evidence, inputs,
                    [&](auto& context) { internal::CheckBoundData(report_data, claims, context); });
}

}  // namespace soter
