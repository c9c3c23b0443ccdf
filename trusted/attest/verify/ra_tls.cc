#include "trusted/attest/ra_tls_format.h"
#include "trusted/attest/verify/context.h"

namespace soter {
namespace {

Result<Evidence> ExtractEvidence(const Certificate& certificate) {
  std::optional<std::vector<std::byte>> content = TRY(certificate.Extension(kRaTlsEvidenceOid));
  if (!content)
    return Malformed(std::string("the certificate has no evidence (extension ") + kRaTlsEvidenceOid + ")");
  return DecodeRaTlsEvidence(*content);
}

// Without this check, anybody could put another enclave's evidence beside a key of their own.
void CheckKeyBinding(const Certificate& certificate, const Verdict& verdict, CheckList& checks) {
  const std::optional<WorkloadClaims>& workload = verdict.unverified_claims().workload;
  bool bound =
      workload && workload->public_key_hash && workload->public_key_hash->Matches(certificate.PublicKeyDer());
  checks.Decide("ra_tls.key", bound,
                bound ? "the claims hold the hash of the certificate's key"
                      : "the claims do not hold the hash of the certificate's key",
                "a certificate whose evidence was made for its own key");
}

}  // namespace

Verdict VerifyRaTls(const Certificate& certificate, const VerifyInputs& inputs) {
  CheckList checks;
  EvidenceClaims none;
  internal::VerifyContext context = {inputs, checks, none};
  checks.Decide("ra_tls.self_signature", certificate.CheckSelfSignature(),
                "the certificate is signed with its own key", "a self-signed certificate");
  internal::CheckCertificateDates("ra_tls.dates", std::span(&certificate, 1), context);
  Result<Evidence> evidence = ExtractEvidence(certificate);
  if (!checks.Decide("ra_tls.format", evidence, "the certificate carries evidence",
                     "a certificate as the RA-TLS interoperability text has it"))
    return Verdict(std::move(checks), std::move(none));
  Verdict inner = VerifyEvidence(*evidence, inputs);
  CheckKeyBinding(certificate, inner, checks);
  checks.Append(inner.checks());
  return Verdict(std::move(checks), inner.unverified_claims());
}

}  // namespace soter
