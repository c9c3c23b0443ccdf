#include "trusted/release/key_broker.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "trusted/crypto/ec_key.h"
#include "trusted/crypto/hash.h"
#include "trusted/jose/jcs.h"
#include "trusted/jose/jwe.h"
#include "trusted/jose/jwk.h"
#include "trusted/release/https_client.h"
#include "trusted/release/tee_evidence.h"

namespace soter {
namespace {

constexpr size_t kMinNonceBytes = 16, kMaxNonceText = 1024, kMaxTokenBytes = 64 * 1024, kMaxCookieBytes = 1024;
constexpr size_t kMaxPartBytes = 64, kMaxDetailBytes = 300;

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool AllOf(std::string_view text, std::string_view others) {
  return std::ranges::all_of(text, [=](char c) { return IsLetterOrDigit(c) || others.find(c) != std::string_view::npos; });
}

Status CheckPath(std::string_view path) {
  bool good = AllOf(path, "/._-") && std::ranges::count(path, '/') == 2;
  for (std::string_view rest = path; good && !rest.empty();) {
    std::string_view part = rest.substr(0, rest.find('/'));
    good = !part.empty() && part.size() <= kMaxPartBytes && (IsLetterOrDigit(part[0]) || part[0] == '_');
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  }
  if (good && !path.ends_with('/')) return {};
  return InvalidArgument("\"" + std::string(path.substr(0, kMaxDetailBytes)) + "\" is not a resource: REPO/TYPE/TAG");
}

// What a broker answers wrongly is a refusal, whatever code says so where it was read.
Error AsRefusal(Error error) {
  bool is_answer = error.code == ErrorCode::kMalformed || error.code == ErrorCode::kUnsupported ||
                   error.code == ErrorCode::kIntegrity;
  if (is_answer) error.code = ErrorCode::kAuth;
  return error;
}

// "403 PolicyDeny: used up", of RFC 7807's members as far as they are there.
std::string Problem(const HttpsResponse& response) {
  std::string text = "status " + std::to_string(response.status);
  Result<Json> problem = ParseJson(response.body);
  if (!problem.ok()) return text;
  Result<std::string> type = JsonText(*problem, "type"), detail = JsonText(*problem, "detail");
  if (type.ok()) text += ", " + type->substr(type->rfind('/') + 1).substr(0, kMaxPartBytes);
  if (detail.ok()) text += ": " + detail->substr(0, kMaxDetailBytes);
  return text;
}

Status RequireDone(const HttpsResponse& response, const std::string& what) {
  int status = response.status;
  if (status == 200) return {};
  if (status >= 300 && status < 400)
    return AuthError("it redirects (status " + std::to_string(status) + "); give the address where it answers itself");
  if (status == 408 || status == 429 || status >= 500) return Unavailable("it cannot " + what + " now: " + Problem(response));
  return AuthError("it refused to " + what + ": " + Problem(response));
}

// SessionCookie is "kbs-session-id=VALUE" of a Set-Cookie header. Errors: kMalformed.
Result<std::string> SessionCookie(const std::string& set_cookie) {
  constexpr std::string_view kName = "kbs-session-id=";
  std::string cookie = set_cookie.substr(0, set_cookie.find(';'));
  bool good = cookie.starts_with(kName) && cookie.size() > kName.size() && cookie.size() <= kMaxCookieBytes &&
              AllOf(std::string_view(cookie).substr(kName.size()), "-_.+/=");
  if (!good) return Malformed("its answer has no session (Set-Cookie: kbs-session-id)");
  return cookie;
}

// Exchange is one run of the protocol.
class Exchange {
 public:
  Exchange(const KeyBroker& broker, Platform& platform)
      : broker_(broker), platform_(platform), client_(broker.url, broker.anchors) {}

  Result<SecretBytes> Run(const std::string& path) {
    EcPrivateKey key = TRY(EcPrivateKey::Generate(EcCurve::kP256));
    TRY(Authenticate());
    TRY(Attest(key));
    HttpsResponse response = TRY(Send({.method = "GET", .target = "/kbs/v0/resource/" + path, .cookie = cookie_,
                                       .authorization = token_.empty() ? "" : "Bearer " + token_}));
    TRY(RequireDone(response, "release " + path));
    return DecryptJwe(key, response.body);
  }

 private:
  Result<HttpsResponse> Send(const HttpsRequest& request) const {
    return client_.Send(request, std::chrono::steady_clock::now() + broker_.timeout);
  }

  std::string TeeName() const { return broker_.sample_evidence ? "sample" : std::string(PlatformName(platform_.kind())); }

  Status Authenticate() {
    Json request = {{"version", broker_.kbs_version},
                    {"tee", TeeName()},
                    {"extra-params", {{"supported-hash-algorithms", {"sha384"}}}}};
    HttpsResponse response = TRY(Send({.method = "POST", .target = "/kbs/v0/auth", .body = DumpJson(request)}));
    TRY(RequireDone(response, "talk to this enclave"));
    Json challenge = TRY(ParseJson(response.body));
    nonce_ = TRY(JsonText(challenge, "nonce"));
    Result<std::vector<std::byte>> nonce = DecodeBase64(nonce_, Base64::kPadded);
    if (nonce_.size() > kMaxNonceText || !nonce.ok() || nonce->size() < kMinNonceBytes)
      return Malformed("its nonce is none: base64 of at least 16 bytes");
    TRY(CheckHashAlgorithm(challenge));
    cookie_ = TRY(SessionCookie(response.set_cookie));
    return {};
  }

  // Where the broker says which hash it takes for report_data, it has to be ours.
  static Status CheckHashAlgorithm(const Json& challenge) {
    if (!challenge.contains("extra-params") || !challenge.at("extra-params").is_object()) return {};
    const Json& parameters = challenge.at("extra-params");
    if (!parameters.contains("selected-hash-algorithm")) return {};
    if (TRY(JsonText(parameters, "selected-hash-algorithm")) == "sha384") return {};
    return Unsupported("it wants evidence over another hash than SHA-384");
  }

  Status Attest(const EcPrivateKey& key) {
    Json tee_key = EncodeJwk({.curve = key.curve(), .public_key = key.public_key()}, kEcdhEsA256Kw);
    Json evidence = TRY(Evidence(tee_key));
    Json request = {{"runtime-data", {{"nonce", nonce_}, {"tee-pubkey", tee_key}}},
                    {"tee-evidence", {{"primary_evidence", evidence}, {"additional_evidence", ""}}}};
    HttpsResponse response =
        TRY(Send({.method = "POST", .target = "/kbs/v0/attest", .body = DumpJson(request), .cookie = cookie_}));
    TRY(RequireDone(response, "accept this enclave"));
    Json answer = TRY(ParseJson(response.body));
    if (!answer.is_object()) return Malformed("its answer to the evidence is no JSON object");
    if (!answer.contains("token")) return {};  // the session stands for it
    token_ = TRY(JsonText(answer, "token"));
    if (token_.empty() || token_.size() > kMaxTokenBytes || !AllOf(token_, "-_.")) return Malformed("its token is no JWT");
    return {};
  }

  Result<Json> Evidence(const Json& tee_key) {
    std::string bound =
        TRY(CanonicalJson({{"additional-evidence", ""}, {"nonce", nonce_}, {"tee-pubkey", tee_key}}));
    Sha384::Digest digest = Digest<Sha384>(AsBytes(bound));
    ReportData report_data = {};
    std::ranges::copy(digest, report_data.begin());
    if (broker_.sample_evidence) return SampleEvidence(report_data);
    Result<PlatformReport> report = platform_.Produce(report_data);
    // Unavailable would be the broker; this is the TEE.
    if (!report.ok()) return Exhausted("the TEE gave no evidence: " + report.error().message);
    return EncodeTeeEvidence(platform_.kind(), *report);
  }

  const KeyBroker& broker_;
  Platform& platform_;
  HttpsClient client_;
  std::string nonce_, cookie_, token_;
};

}  // namespace

Result<SecretBytes> FetchResource(const KeyBroker& broker, const std::string& path, Platform& platform) {
  TRY(CheckPath(path));
  Result<SecretBytes> resource = Exchange(broker, platform).Run(path);
  if (!resource.ok()) return Annotate(AsRefusal(std::move(resource).error()), "the broker at " + broker.url.authority);
  return resource;
}

Result<std::vector<Certificate>> ReadAnchors(std::string_view pem) {
  Result<std::vector<PemBlock>> blocks = ReadPem(pem);
  std::vector<Certificate> anchors;
  for (size_t i = 0; blocks.ok() && i < blocks->size(); ++i) {
    if ((*blocks)[i].label != "CERTIFICATE") continue;
    Result<Certificate> anchor = Certificate::FromDer((*blocks)[i].der);
    if (!anchor.ok()) return InvalidArgument("the broker's certificate: " + anchor.error().message);
    anchors.push_back(*std::move(anchor));
  }
  if (anchors.empty()) return InvalidArgument("the broker's certificate is not given: PEM with CERTIFICATE blocks");
  return anchors;
}

}  // namespace soter
