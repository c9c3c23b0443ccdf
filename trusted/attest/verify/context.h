#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/verify.h"
#include "trusted/crypto/ecdsa.h"

namespace soter::internal {

// VerifyContext is what the platforms' verifiers share while they build one verdict.
struct VerifyContext {
  const VerifyInputs& inputs;
  CheckList& checks;
  EvidenceClaims& claims;

  void Detail(const char* name, ByteView value) { claims.details.emplace_back(name, EncodeHex(value)); }
  void Detail(const char* name, std::string value) { claims.details.emplace_back(name, std::move(value)); }
};

// Each adds its platform's checks and claims. report_data and workload claims are checked by VerifyEvidence.
void VerifySnp(const Evidence& evidence, VerifyContext& context);
void VerifyQuote(const Evidence& evidence, VerifyContext& context);
void VerifyDev(const Evidence& evidence, VerifyContext& context);

// CheckCertificateDates checks that each certificate is valid at the verification time.
bool CheckCertificateDates(const char* name, std::span<const Certificate> certificates, VerifyContext& context);

// ListIsCurrent decides whether a revocation list is current at the verification time.
Status ListIsCurrent(const RevocationList& list, int64_t time_s);

// CheckPinned checks that a hexadecimal value is on a list. An empty list fails unless `any` gives the check up.
void CheckPinned(const char* name, ByteView value, const std::vector<std::string>& accepted, bool any,
                 const char* setting, VerifyContext& context);

// CheckIfAsked checks that a value is on a list; an empty list asks for nothing and adds no check.
void CheckIfAsked(const char* name, ByteView value, const std::vector<std::string>& accepted, const char* setting,
                  VerifyContext& context);

template <typename T>
bool Contains(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// CheckSignature is VerifyEcdsa with the key of `signer`. Errors: those of VerifyEcdsa.
Status CheckSignature(EcdsaKind kind, const Certificate& signer, ByteView message, ByteView signature);

// ParseCertificates decodes every DER certificate. Errors: kMalformed.
Result<std::vector<Certificate>> ParseCertificates(std::span<const std::vector<std::byte>> ders);

// ParsePemCertificates decodes a PEM text that holds certificates only. Errors: kMalformed.
Result<std::vector<Certificate>> ParsePemCertificates(std::string_view pem);

}  // namespace soter::internal
