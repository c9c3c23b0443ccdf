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
void CheckKey(const char* name, ByteView public_key_der, const EvidenceClaims& claims, CheckList& checks) {
  const std::optional<WorkloadClaims>& workload = claims.workload;
  bool bound = workload && workload->public_key_hash && workload->public_key_hash->Matches(public_key_der);
  checks.Decide(name, bound,
                bound ? "the claims hold the hash of the peer's key" : "the claims do not hold the hash of the peer's key",
                "evidence that was made for the key at the other end of the connection");
}

// Others' certificates state no purpose; one of ours that was made for another use is no TLS identity.
void CheckPurpose(const EvidenceClaims& claims, CheckList& checks) {
  std::string purpose = claims.workload ? claims.workload->purpose : "";
  if (!purpose.empty())
    checks.Decide("ra_tls.purpose", purpose == kRaTlsPurpose, "the evidence was made for \"" + purpose + "\"",
                  "evidence made for ra-tls");
}

}  // namespace

Verdict VerifyForKey(const Evidence& evidence, ByteView public_key_der, const VerifyInputs& inputs) {
  Verdict verdict = VerifyEvidence(evidence, inputs);
  CheckList checks;
  CheckKey("workload.key", public_key_der, verdict.unverified_claims(), checks);
  checks.Append(verdict.checks());
  return Verdict(std::move(checks), verdict.unverified_claims());
}

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
  CheckKey("ra_tls.key", certificate.PublicKeyDer(), inner.unverified_claims(), checks);
  CheckPurpose(inner.unverified_claims(), checks);
  checks.Append(inner.checks());
  return Verdict(std::move(checks), inner.unverified_claims());
}

}  // namespace soter
