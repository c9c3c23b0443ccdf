#include <algorithm>

#include "common/base/hex.h"
#include "trusted/attest/verify/context.h"
#include "trusted/attest/verify/intel_collateral.h"

namespace soter {
namespace {

constexpr std::string_view kSignature = ",\"signature\":\"", kEnd = "\"}";
constexpr size_t kSignatureDigits = 128;
constexpr char kService[] = "api.trustedservices.intel.com/";

std::string_view WithoutFinalLine(std::string_view body) {
  while (body.ends_with('\n') || body.ends_with('\r')) body.remove_suffix(1);
  return body;
}

// The signature covers the member's characters, so that the body is cut and not parsed.
Result<IntelStatement> CutStatement(std::string_view body, std::string_view start) {
  size_t tail = kSignature.size() + kSignatureDigits + kEnd.size();
  if (body.size() < start.size() + tail || !body.ends_with(kEnd) ||
      body.substr(body.size() - tail, kSignature.size()) != kSignature)
    return Malformed("an answer of Intel's service does not end with its signature: keep it as it came");
  std::string_view digits = body.substr(body.size() - kEnd.size() - kSignatureDigits, kSignatureDigits);
  IntelStatement statement = {.json = std::string(body.substr(start.size(), body.size() - start.size() - tail))};
  statement.signature = TRY(DecodeHex(digits));
  return statement;
}

const IntelStatement* FindTcbInfo(const IntelStatements& statements, const PckPlatform& platform, bool is_tdx) {
  for (const IntelStatement& statement : statements.tcb_infos) {
    Result<TcbInfo> info = ParseTcbInfo(statement.json);
    if (info.ok() && info->is_tdx == is_tdx && info->fmspc == platform.fmspc) return &statement;
  }
  return statements.tcb_infos.empty() ? nullptr : &statements.tcb_infos[0];
}

const IntelStatement* FindQeIdentity(const IntelStatements& statements, bool is_tdx) {
  for (const IntelStatement& statement : statements.qe_identities) {
    Result<QeIdentity> identity = ParseQeIdentity(statement.json);
    if (identity.ok() && identity->is_tdx == is_tdx) return &statement;
  }
  return statements.qe_identities.empty() ? nullptr : &statements.qe_identities[0];
}

// Intel has had several signing certificates: the one that signed the statement, or else any.
const Certificate* FindSigner(std::span<const Certificate> certificates, const IntelStatement& statement) {
  const Certificate* any = nullptr;
  for (const Certificate& certificate : certificates) {
    if (certificate.subject_name() != kTcbSigningName) continue;
    any = &certificate;
    if (internal::CheckSignature(EcdsaKind::kP256Sha256, certificate, AsBytes(statement.json), statement.signature).ok())
      break;
  }
  return any;
}

const RevocationList* FindNewest(std::span<const RevocationList> lists, const Certificate& issuer) {
  const RevocationList* newest = nullptr;
  for (const RevocationList& list : lists)
    if (list.IsIssuedBy(issuer) && (newest == nullptr || list.this_update() > newest->this_update())) newest = &list;
  return newest;
}

Error Missing(const std::string& what, const std::string& where) {
  return Unavailable("Intel's collateral is not whole: no " + what + " (" + where + ")");
}

}  // namespace

Result<bool> TakeIntelStatement(std::string_view body, IntelStatements& statements) {
  constexpr std::string_view kTcbInfo = "{\"tcbInfo\":", kQeIdentity = "{\"enclaveIdentity\":";
  body = WithoutFinalLine(body);
  if (body.starts_with(kTcbInfo)) {
    statements.tcb_infos.push_back(TRY(CutStatement(body, kTcbInfo)));
  } else if (body.starts_with(kQeIdentity)) {
    statements.qe_identities.push_back(TRY(CutStatement(body, kQeIdentity)));
  } else {
    return false;
  }
  return true;
}

Result<IntelCollateral> GatherIntelCollateral(const IntelStatements& statements,
                                              std::span<const Certificate> certificates,
                                              std::span<const RevocationList> lists,
                                              std::span<const Certificate> pck_chain, const PckPlatform& platform,
                                              bool is_tdx) {
  const Certificate &ca = pck_chain[1], &root = pck_chain[2];
  const std::string api = kService + std::string(is_tdx ? "tdx" : "sgx") + "/certification/v4/";
  const IntelStatement* info = FindTcbInfo(statements, platform, is_tdx);
  if (info == nullptr) return Missing("TCB info", api + "tcb?fmspc=" + platform.fmspc);
  const IntelStatement* identity = FindQeIdentity(statements, is_tdx);
  if (identity == nullptr) return Missing("identity of the quoting enclave", api + "qe/identity");
  const Certificate* info_signer = FindSigner(certificates, *info);
  const Certificate* identity_signer = FindSigner(certificates, *identity);
  if (info_signer == nullptr || identity_signer == nullptr)
    return Missing(std::string("certificate \"") + kTcbSigningName + '"',
                   "the header TCB-Info-Issuer-Chain that came with the TCB info, URL-decoded");
  const RevocationList* root_crl = FindNewest(lists, root);
  if (root_crl == nullptr)
    return Missing("revocation list of \"" + root.subject_name() + '"',
                   "certificates.trustedservices.intel.com/IntelSGXRootCA.der");
  const RevocationList* pck_crl = FindNewest(lists, ca);
  if (pck_crl == nullptr)
    return Missing("revocation list of \"" + ca.subject_name() + '"',
                   std::string(kService) + "sgx/certification/v4/pckcrl?ca=platform or ca=processor");
  return IntelCollateral{.pck_crl_issuer_chain = {ca, root},
                         .root_crl = *root_crl,
                         .pck_crl = *pck_crl,
                         .tcb_info_issuer_chain = {*info_signer, root},
                         .tcb_info = info->json,
                         .tcb_info_signature = info->signature,
                         .qe_identity_issuer_chain = {*identity_signer, root},
                         .qe_identity = identity->json,
                         .qe_identity_signature = identity->signature};
}

}  // namespace soter
