#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "trusted/attest/verify/intel_tcb.h"
#include "trusted/crypto/certificate.h"

namespace soter {

// Intel signs TCB infos and identities with keys whose certificates have this name.
inline constexpr char kTcbSigningName[] = "Intel SGX TCB Signing";

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

// IntelStatement is one answer of Intel's service: JSON that Intel signed, to the character, and the signature.
struct IntelStatement {
  std::string json;
  std::vector<std::byte> signature;  // r then s
};

// IntelStatements are answers as they came, each in a file of its own; chains and lists come beside them.
struct IntelStatements {
  std::vector<IntelStatement> tcb_infos, qe_identities;

  bool empty() const { return tcb_infos.empty() && qe_identities.empty(); }
};

// TakeIntelStatement adds `body` to `statements` if it is {"tcbInfo":...,"signature":...} or
// {"enclaveIdentity":...,"signature":...}, as the service writes it; returns whether it is. Errors: kMalformed.
Result<bool> TakeIntelStatement(std::string_view body, IntelStatements& statements);

// GatherIntelCollateral puts together what concerns one platform. The chain of its PCK certificate, which must have been
// verified, gives root and CA. Errors: kUnavailable (a part is missing; says which, and where Intel has it).
Result<IntelCollateral> GatherIntelCollateral(const IntelStatements& statements,
                                              std::span<const Certificate> certificates,
                                              std::span<const RevocationList> lists,
                                              std::span<const Certificate> pck_chain, const PckPlatform& platform,
                                              bool is_tdx);

}  // namespace soter
