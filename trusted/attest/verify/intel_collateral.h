#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "trusted/crypto/certificate.h"

namespace soter {

// IntelCollateral is what Intel publishes for one kind of platform, as Intel signed it. Parsing verifies nothing.
struct IntelCollateral {
  std::vector<Certificate> pck_crl_issuer_chain;  // the CA that issues PCK certificates, then the root
  RevocationList root_crl;
  RevocationList pck_crl;
  std::vector<Certificate> tcb_info_issuer_chain;  // Intel's TCB signing certificate, then the root
  std::string tcb_info;                            // the exact JSON that the signature covers
  std::vector<std::byte> tcb_info_signature;       // r then s
  std::vector<Certificate> qe_identity_issuer_chain;
  std::string qe_identity;
  std::vector<std::byte> qe_identity_signature;
};

// ParseIntelCollateral reads the JSON object of docs/spec/attestation.md, 2.3, which is also what dcap-qvl writes:
// chains as PEM, lists and signatures as hexadecimal, signed JSON as strings.
// Errors: kMalformed.
Result<IntelCollateral> ParseIntelCollateral(std::string_view json);

}  // namespace soter
