#include "broker/token.h"

#include <array>

#include "broker/sessions.h"
#include "common/base/hex.h"
#include "trusted/crypto/random.h"

namespace soter {
namespace {

constexpr char kIssuer[] = "soter-broker", kProfile[] = "tag:github.com,2023:veraison/ear";
constexpr char kAnnotated[] = "ear.veraison.annotated-evidence", kRuntime[] = "runtime_data_claims";
// AR4SI trustworthiness claims (draft-ietf-rats-ar4si, 2.3.4): affirming, warning, and hardware that is not recognised.
constexpr int kAffirming = 2, kWarning = 33, kUnrecognisedHardware = 97;

std::string Detail(const EvidenceClaims& claims, std::string_view name) {
  for (const auto& [key, value] : claims.details)
    if (key == name) return value;
  return {};
}

const char* StatusOf(const Attested& attested) {
  if (attested.evidence.claims().platform == PlatformKind::kDev) return "contraindicated";
  return attested.gives_something_up ? "warning" : "affirming";
}

Json TrustVector(const Attested& attested) {
  bool is_dev = attested.evidence.claims().platform == PlatformKind::kDev;
  int value = attested.gives_something_up ? kWarning : kAffirming;
  return {{"instance-identity", value},
          {"configuration", value},
          {"executables", value},
          {"hardware", is_dev ? kUnrecognisedHardware : value}};
}

Json AnnotatedEvidence(const Attested& attested) {
  const EvidenceClaims& claims = attested.evidence.claims();
  Json platform = {{"measurement", EncodeHex(claims.measurement)},
                   {"report_data", EncodeHex(claims.report_data)},
                   {"debug", claims.debug},
                   {"tcb_status", claims.tcb_status},
                   {"advisories", claims.advisories}};
  for (const auto& [name, value] : claims.details) platform[name] = value;
  return {{std::string(PlatformName(claims.platform)), platform},
          {kRuntime, {{"nonce", attested.nonce}, {"tee-pubkey", attested.tee_key}}}};
}

Json TokenClaims(const Attested& attested, const std::string& id, int64_t now_s) {
  Json cpu = {{"ear.status", StatusOf(attested)},
              {"ear.trustworthiness-vector", TrustVector(attested)},
              {"ear.appraisal-policy-id", attested.policies.at(0)},
              {kAnnotated, AnnotatedEvidence(attested)}};
  return {{"eat_profile", kProfile},
          {"iss", kIssuer},
          {"iat", now_s},
          {"exp", now_s + Sessions::kTokenSeconds},
          {"jti", id},
          {"ear.verifier-id", {{"developer", "Soter"}, {"build", "soter-broker 1"}}},
          {"submods", {{"cpu0", cpu}}},
          {"soter.device", attested.device},
          {"soter.policies", attested.policies}};
}

}  // namespace

std::string DeviceOf(const EvidenceClaims& claims) {
  auto named = [&claims](const char* prefix, const char* detail) {
    std::string id = Detail(claims, detail);
    return id.empty() ? id : prefix + id;
  };
  switch (claims.platform) {
    case PlatformKind::kDev: return named("dev:", "public_key");
    case PlatformKind::kSgx:
    case PlatformKind::kTdx: return named("intel:", "ppid");
    case PlatformKind::kSnp:
      return named(Detail(claims, "signing_key") == "VLEK" ? kVlekDevice : "snp:", "chip_id");
  }
  CHECK(false, "a platform without devices");
}

Result<IssuedToken> IssueToken(const EcPrivateKey& key, const Attested& attested, int64_t now_s) {
  std::array<std::byte, 16> random;
  TRY(FillRandom(random));
  std::string id = EncodeBase64(random, Base64::kUrl);
  return IssuedToken{SignJwt(key, TokenClaims(attested, id, now_s)), id};
}

Result<TokenContent> ReadToken(const EcPrivateKey& key, std::string_view token, int64_t now_s) {
  Json claims = TRY(VerifyJwt({key.curve(), key.public_key()}, token));
  TRY(CheckJwtTimes(claims, now_s));
  std::string issuer = TRY(JsonText(claims, "iss"));
  if (issuer != kIssuer) return AuthError("a token of another issuer");
  TokenContent content = {.id = TRY(JsonText(claims, "jti"))};
  content.device = TRY(JsonText(claims, "soter.device"));
  for (const Json& digest : *TRY(JsonMember(claims, "soter.policies"))) {
    if (!digest.is_string()) return Malformed("a token's policies are not text");
    content.policies.push_back(digest.get<std::string>());
  }
  const Json& cpu = *TRY(JsonMember(*TRY(JsonMember(claims, "submods")), "cpu0"));
  const Json& runtime = *TRY(JsonMember(*TRY(JsonMember(cpu, kAnnotated)), kRuntime));
  content.tee_key = TRY(DecodeJwk(*TRY(JsonMember(runtime, "tee-pubkey")), kEcdhEsA256Kw));
  return content;
}

}  // namespace soter
