#include "common/base/hex.h"
#include "common/base/reader.h"
#include "trusted/attest/verify/intel_tcb.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/jose/json.h"

namespace soter {
namespace {

Error Wrong(const char* key) { return Malformed(std::string("Intel's JSON has no proper \"") + key + "\""); }

Result<Json> ParseObject(std::string_view text) {
  Json json = TRY(ParseJson(text));
  if (!json.is_object()) return Malformed("Intel's collateral is not a JSON object");
  return json;
}

Result<const Json*> Member(const Json& object, const char* key) {
  if (!object.is_object()) return Wrong(key);
  auto found = object.find(key);
  if (found == object.end()) return Wrong(key);
  return &*found;
}

Result<std::string> GetText(const Json& object, const char* key) {
  const Json* value = TRY(Member(object, key));
  if (!value->is_string()) return Wrong(key);
  return value->get<std::string>();
}

Result<int64_t> GetInteger(const Json& object, const char* key, int64_t max) {
  const Json* value = TRY(Member(object, key));
  if (!value->is_number_unsigned() || value->get<uint64_t>() > static_cast<uint64_t>(max)) return Wrong(key);
  return value->get<int64_t>();
}

Result<const Json*> GetArray(const Json& object, const char* key) {
  const Json* value = TRY(Member(object, key));
  if (!value->is_array()) return Wrong(key);
  return value;
}

Result<std::vector<std::byte>> GetHex(const Json& object, const char* key, size_t size_bytes) {
  std::vector<std::byte> bytes = TRY(DecodeHexAnyCase(TRY(GetText(object, key))));
  if (bytes.size() != size_bytes) return Wrong(key);
  return bytes;
}

Result<uint32_t> GetHexU32(const Json& object, const char* key) {
  std::vector<std::byte> bytes = TRY(GetHex(object, key, 4));
  return Reader(bytes).ReadNumber<uint32_t>();
}

Result<TcbStatus> GetStatus(const Json& level) {
  std::string name = TRY(GetText(level, "tcbStatus"));
  for (int status = 0; status <= static_cast<int>(TcbStatus::kRevoked); ++status)
    if (name == TcbStatusName(static_cast<TcbStatus>(status))) return static_cast<TcbStatus>(status);
  return Unsupported("unknown TCB status in Intel's JSON");
}

Result<std::vector<std::string>> GetAdvisories(const Json& level) {
  std::vector<std::string> advisories;
  if (!level.contains("advisoryIDs")) return advisories;
  for (const Json& id : *TRY(GetArray(level, "advisoryIDs"))) {
    if (!id.is_string()) return Wrong("advisoryIDs");
    advisories.push_back(id.get<std::string>());
  }
  return advisories;
}

Result<TcbComponents> GetComponents(const Json& tcb, const char* key) {
  const Json* array = TRY(GetArray(tcb, key));
  TcbComponents components;
  if (array->size() != components.size()) return Wrong(key);
  for (size_t i = 0; i < components.size(); ++i)
    components[i] = static_cast<uint8_t>(TRY(GetInteger((*array)[i], "svn", UINT8_MAX)));
  return components;
}

// Version 2 numbers its components in their names, from 01 to 16.
Result<TcbComponents> GetNumberedComponents(const Json& tcb) {
  TcbComponents components;
  for (size_t i = 0; i < components.size(); ++i) {
    std::string number = std::to_string(i + 1);
    std::string key = "sgxtcbcomp" + std::string(2 - number.size(), '0') + number + "svn";
    components[i] = static_cast<uint8_t>(TRY(GetInteger(tcb, key.c_str(), UINT8_MAX)));
  }
  return components;
}

Result<TcbLevel> ParseLevel(const Json& json, bool is_tdx, int64_t version) {
  TcbLevel level;
  const Json* tcb = TRY(Member(json, "tcb"));
  level.sgx = TRY(version == 2 ? GetNumberedComponents(*tcb) : GetComponents(*tcb, "sgxtcbcomponents"));
  if (is_tdx) level.tdx = TRY(GetComponents(*tcb, "tdxtcbcomponents"));
  level.pce_svn = static_cast<uint16_t>(TRY(GetInteger(*tcb, "pcesvn", UINT16_MAX)));
  level.status = TRY(GetStatus(json));
  level.advisories = TRY(GetAdvisories(json));
  return level;
}

Result<std::vector<IsvSvnLevel>> ParseIsvSvnLevels(const Json& owner) {
  std::vector<IsvSvnLevel> levels;
  for (const Json& json : *TRY(GetArray(owner, "tcbLevels"))) {
    IsvSvnLevel level;
    level.isv_svn = static_cast<uint16_t>(TRY(GetInteger(*TRY(Member(json, "tcb")), "isvsvn", UINT16_MAX)));
    level.status = TRY(GetStatus(json));
    level.advisories = TRY(GetAdvisories(json));
    levels.push_back(std::move(level));
  }
  return levels;
}

Result<TdxModuleIdentity> ParseModule(const Json& json) {
  TdxModuleIdentity module;
  module.mr_signer = TRY(GetHex(json, "mrsigner", 48));
  module.attributes = TRY(GetHex(json, "attributes", 8));
  module.attributes_mask = TRY(GetHex(json, "attributesMask", 8));
  return module;
}

Status ParseModules(const Json& json, TcbInfo& info) {
  info.tdx_modules.push_back(TRY(ParseModule(*TRY(Member(json, "tdxModule")))));
  if (!json.contains("tdxModuleIdentities")) return {};
  for (const Json& identity : *TRY(GetArray(json, "tdxModuleIdentities"))) {
    TdxModuleIdentity module = TRY(ParseModule(identity));
    module.id = TRY(GetText(identity, "id"));
    if (module.id.empty()) return Wrong("id");
    module.levels = TRY(ParseIsvSvnLevels(identity));
    info.tdx_modules.push_back(std::move(module));
  }
  return {};
}

// Which of two ids a document has; anything else is another kind of document.
Result<bool> IsTdx(const Json& json, std::string_view sgx_id, std::string_view tdx_id) {
  std::string id = TRY(GetText(json, "id"));
  if (id != sgx_id && id != tdx_id)
    return Unsupported("Intel's JSON is neither " + std::string(sgx_id) + " nor " + std::string(tdx_id));
  return id == tdx_id;
}

}  // namespace

Result<TcbInfo> ParseTcbInfo(std::string_view text) {
  Json json = TRY(ParseObject(text));
  TcbInfo info;
  int64_t version = TRY(GetInteger(json, "version", INT32_MAX));
  if (version != 2 && version != 3)
    return Unsupported("Intel's TCB info has version " + std::to_string(version) + "; accepted are 2 and 3");
  info.is_tdx = version == 3 && TRY(IsTdx(json, "SGX", "TDX"));  // version 2 is of before TDX, and names no kind
  if (TRY(GetInteger(json, "tcbType", INT32_MAX)) != 0) return Unsupported("unknown way to compare TCB levels");
  info.issue_date = TRY(ParseTimestamp(TRY(GetText(json, "issueDate"))));
  info.next_update = TRY(ParseTimestamp(TRY(GetText(json, "nextUpdate"))));
  info.fmspc = EncodeHex(TRY(GetHex(json, "fmspc", 6)));
  info.pce_id = EncodeHex(TRY(GetHex(json, "pceId", 2)));
  info.evaluation_data_number = TRY(GetInteger(json, "tcbEvaluationDataNumber", INT32_MAX));
  for (const Json& level : *TRY(GetArray(json, "tcbLevels")))
    info.levels.push_back(TRY(ParseLevel(level, info.is_tdx, version)));
  if (info.is_tdx) TRY(ParseModules(json, info));
  return info;
}

Result<QeIdentity> ParseQeIdentity(std::string_view text) {
  Json json = TRY(ParseObject(text));
  QeIdentity identity;
  int64_t version = TRY(GetInteger(json, "version", INT32_MAX));
  if (version != 2) return Unsupported("Intel's QE identity has version " + std::to_string(version) + "; accepted is 2");
  identity.is_tdx = TRY(IsTdx(json, "QE", "TD_QE"));
  identity.issue_date = TRY(ParseTimestamp(TRY(GetText(json, "issueDate"))));
  identity.next_update = TRY(ParseTimestamp(TRY(GetText(json, "nextUpdate"))));
  identity.evaluation_data_number = TRY(GetInteger(json, "tcbEvaluationDataNumber", INT32_MAX));
  identity.misc_select = TRY(GetHexU32(json, "miscselect"));
  identity.misc_select_mask = TRY(GetHexU32(json, "miscselectMask"));
  identity.attributes = TRY(GetHex(json, "attributes", 16));
  identity.attributes_mask = TRY(GetHex(json, "attributesMask", 16));
  identity.mr_signer = TRY(GetHex(json, "mrsigner", 32));
  identity.isv_prod_id = static_cast<uint16_t>(TRY(GetInteger(json, "isvprodid", UINT16_MAX)));
  identity.levels = TRY(ParseIsvSvnLevels(json));
  return identity;
}

}  // namespace soter
