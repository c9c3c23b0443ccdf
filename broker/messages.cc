#include "broker/messages.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "trusted/crypto/hash.h"
#include "trusted/jose/jcs.h"

namespace soter {
namespace {

constexpr std::string_view kHashAlgorithm = "sha384";
constexpr size_t kMaxPathPartBytes = 64;

Result<bool> ListsHashAlgorithms(const Json& request) {
  if (!request.contains("extra-params")) return false;
  const Json& params = request["extra-params"];
  if (params.is_null() || params == "") return false;
  if (!params.is_object()) return Malformed("\"extra-params\" is neither an object nor empty");
  auto algorithms = params.find("supported-hash-algorithms");
  if (algorithms == params.end()) return false;
  if (!algorithms->is_array()) return Malformed("\"supported-hash-algorithms\" is not an array");
  if (std::ranges::find(*algorithms, Json(kHashAlgorithm)) == algorithms->end())
    return Unsupported("the only hash algorithm here is sha384");
  return true;
}

bool IsPathPart(std::string_view part) {
  auto is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  auto belongs = [&is_word](char c) { return is_word(c) || c == '-' || c == '.'; };
  return !part.empty() && part.size() <= kMaxPathPartBytes && is_word(part[0]) && std::ranges::all_of(part, belongs);
}

}  // namespace

Result<AuthRequest> DecodeAuthRequest(std::string_view body, std::string_view kbs_version) {
  Json json = TRY(ParseJson(body));
  TRY(ExpectMembers(json, {"version", "tee", "extra-params"}));
  std::string version = TRY(JsonText(json, "version")), tee = TRY(JsonText(json, "tee"));
  if (version != kbs_version)
    return Unsupported("the protocol's version here is " + std::string(kbs_version) + " and no other");
  Result<PlatformKind> kind = PlatformFromName(tee);
  if (!kind.ok()) return Unsupported("the TEEs known here are sgx, tdx, snp and dev");
  bool lists_hash_algorithms = TRY(ListsHashAlgorithms(json));
  return AuthRequest{*kind, lists_hash_algorithms};
}

Result<AttestRequest> DecodeAttestRequest(std::string_view body) {
  Json json = TRY(ParseJson(body));
  TRY(ExpectMembers(json, {"runtime-data", "tee-evidence", "init-data"}));
  if (json.contains("init-data") && !json["init-data"].is_null()) return Unsupported("init data is not supported here");
  const Json& runtime = *TRY(JsonMember(json, "runtime-data"));
  TRY(ExpectMembers(runtime, {"nonce", "tee-pubkey"}));
  const Json& evidence = *TRY(JsonMember(json, "tee-evidence"));
  TRY(ExpectMembers(evidence, {"primary_evidence", "additional_evidence"}));
  std::string additional = TRY(JsonText(evidence, "additional_evidence"));
  if (!additional.empty()) return Unsupported("evidence of more than one TEE is not supported here");
  AttestRequest request = {.nonce = TRY(JsonText(runtime, "nonce"))};
  request.tee_key = *TRY(JsonMember(runtime, "tee-pubkey"));
  request.evidence = *TRY(JsonMember(evidence, "primary_evidence"));
  request.key = TRY(DecodeJwk(request.tee_key, kEcdhEsA256Kw));
  if (request.key.curve == EcCurve::kP384) return Unsupported("the enclave's key is on another curve than P-256 and P-521");
  return request;
}

Result<std::array<std::byte, 64>> ExpectedReportData(const AttestRequest& request) {
  Json bound = {{"additional-evidence", ""}, {"nonce", request.nonce}, {"tee-pubkey", request.tee_key}};
  Sha384::Digest digest = Digest<Sha384>(AsBytes(TRY(CanonicalJson(bound))));
  std::array<std::byte, 64> report_data = {};
  std::ranges::copy(digest, report_data.begin());
  return report_data;
}

bool IsResourcePath(std::string_view path) {
  size_t first = path.find('/');
  size_t second = first == std::string_view::npos ? first : path.find('/', first + 1);
  if (second == std::string_view::npos) return false;
  return IsPathPart(path.substr(0, first)) && IsPathPart(path.substr(first + 1, second - first - 1)) &&
         IsPathPart(path.substr(second + 1));
}

}  // namespace soter
