#pragma once

#include "common/base/result.h"
#include "trusted/attest/workload_claims.h"
#include "trusted/crypto/tls_key.h"
#include "trusted/tee/platform.h"

namespace soter {

// RaTlsIdentity is what a TLS endpoint in an enclave presents: a fresh key that never leaves, and a self-signed
// certificate with evidence that the enclave has it.
struct RaTlsIdentity {
  TlsKey key;
  Certificate certificate;
};

// MakeRaTls makes an identity that claims what `claims` says; its purpose and key hash are filled in here. The
// certificate is valid from `now_s` for `lifetime_s`, both seconds.
// Errors: kInvalidArgument (a lifetime that is not positive), those of ProduceEvidence.
Result<RaTlsIdentity> MakeRaTls(Platform& platform, WorkloadClaims claims, int64_t now_s, int64_t lifetime_s);

}  // namespace soter
