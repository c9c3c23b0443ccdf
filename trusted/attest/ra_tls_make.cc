#include "trusted/attest/ra_tls_make.h"

#include "trusted/attest/produce.h"
#include "trusted/attest/ra_tls_format.h"

namespace soter {

Result<RaTlsIdentity> MakeRaTls(Platform& platform, WorkloadClaims claims, int64_t now_s, int64_t lifetime_s) {
  if (lifetime_s <= 0) return InvalidArgument("an RA-TLS certificate's lifetime must be positive");
  TlsKey key = TRY(TlsKey::Generate());
  claims.purpose = kRaTlsPurpose;
  claims.public_key_hash = KeyHash::Of(key.PublicKeyDer());
  std::vector<std::byte> content = EncodeRaTlsEvidence(TRY(ProduceEvidence(platform, claims)));
  Certificate certificate = TRY(key.SelfSign({.common_name = "soter",
                                              .not_before = now_s,
                                              .not_after = now_s + lifetime_s,
                                              .extension_oid = kRaTlsEvidenceOid,
                                              .extension = content}));
  return RaTlsIdentity{std::move(key), std::move(certificate)};
}

}  // namespace soter
