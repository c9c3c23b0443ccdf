#include "trusted/attest/verify/intel_collateral.h"

#include "common/base/hex.h"
#include "trusted/attest/verify/context.h"
#include "trusted/jose/json.h"

namespace soter {
namespace {

Result<std::string> GetText(const Json& object, const char* key) {
  auto found = object.find(key);
  if (found == object.end() || !found->is_string())
    return Malformed(std::string("the collateral has no text \"") + key + "\"");
  return found->get<std::string>();
}

Result<std::vector<Certificate>> GetChain(const Json& object, const char* key) {
  Result<std::vector<Certificate>> chain = internal::ParsePemCertificates(TRY(GetText(object, key)));
  if (!chain.ok()) return Annotate(std::move(chain).error(), key);
  return chain;
}

Result<RevocationList> GetList(const Json& object, const char* key) {
  Result<RevocationList> list = RevocationList::FromDer(TRY(DecodeHex(TRY(GetText(object, key)))));
  if (!list.ok()) return Annotate(std::move(list).error(), key);
  return list;
}

}  // namespace

Result<IntelCollateral> ParseIntelCollateral(std::string_view text) {
  Json json = TRY(ParseJson(text));
  if (!json.is_object()) return Malformed("the collateral is not a JSON object");
  RevocationList root_crl = TRY(GetList(json, "root_ca_crl")), pck_crl = TRY(GetList(json, "pck_crl"));
  IntelCollateral collateral = {.root_crl = std::move(root_crl), .pck_crl = std::move(pck_crl)};
  collateral.pck_crl_issuer_chain = TRY(GetChain(json, "pck_crl_issuer_chain"));
  collateral.tcb_info_issuer_chain = TRY(GetChain(json, "tcb_info_issuer_chain"));
  collateral.tcb_info = TRY(GetText(json, "tcb_info"));
  collateral.tcb_info_signature = TRY(DecodeHex(TRY(GetText(json, "tcb_info_signature"))));
  collateral.qe_identity_issuer_chain = TRY(GetChain(json, "qe_identity_issuer_chain"));
  collateral.qe_identity = TRY(GetText(json, "qe_identity"));
  collateral.qe_identity_signature = TRY(DecodeHex(TRY(GetText(json, "qe_identity_signature"))));
  return collateral;
}

}  // namespace soter
