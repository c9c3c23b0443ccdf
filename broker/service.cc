#include "broker/service.h"

#include <algorithm>
#include <set>

#include "broker/appraisal.h"
#include "broker/evidence_json.h"
#include "broker/messages.h"
#include "broker/release_decision.h"
#include "broker/token.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/timestamp.h"

namespace soter {
namespace {

constexpr std::string_view kResourcePrefix = "/kbs/v0/resource/", kAuthTarget = "/kbs/v0/auth",
                           kAttestTarget = "/kbs/v0/attest", kBearer = "Bearer ", kCookieName = "kbs-session-id=";
constexpr char kDevLogWarning[] = "accepts development evidence, which protects nothing";
constexpr int kMaxAttestsPerMinute = 600;
constexpr int64_t kSecondsPerMinute = 60;

HttpResponse Busy() { return Problem(503, "HttpError", "the broker cannot answer now; try again later"); }

// The session's id in a Cookie header, which may hold other cookies; empty where there is none.
std::string SessionIn(std::string_view cookies) {
  while (!cookies.empty()) {
    size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    if (cookie.starts_with(kCookieName)) return std::string(cookie.substr(kCookieName.size()));
  }
  return {};
}

// Every distinct policy of the resources.
Result<std::vector<ReleasePolicy>> DistinctPolicies(Store& store) {
  std::set<std::string> texts;
  for (Resource& resource : TRY(store.Resources())) texts.insert(std::move(resource.policy));
  std::vector<ReleasePolicy> policies;
  for (const std::string& text : texts) policies.push_back(TRY(ParseReleasePolicy(text)));
  return policies;
}

Json AttestEvent(const std::string& peer, PlatformKind tee, const std::string& outcome) {
  Json event = {{"event", "attest"}, {"outcome", outcome}, {"peer", peer}, {"tee", PlatformName(tee)}};
  if (tee == PlatformKind::kDev) event["warning"] = "development TEE: a plain process, protects nothing";
  return event;
}

Json Describe(const EvidenceClaims& claims, Json event) {
  event["device"] = DeviceOf(claims);
  event["measurement"] = EncodeHex(claims.measurement);
  return event;
}

// What an /attest says, before any of it is believed.
struct ReadEvidence {
  AttestRequest request;
  std::array<std::byte, 64> report_data;  // that evidence for this request must hold
  Evidence evidence;
};

Result<ReadEvidence> ReadAttest(std::string_view body, const Sessions::Challenge& challenge) {
  AttestRequest request = TRY(DecodeAttestRequest(body));
  if (request.nonce != challenge.nonce) return AuthError("the nonce is not the session's");
  std::array<std::byte, 64> report_data = TRY(ExpectedReportData(request));
  Evidence evidence = TRY(DecodeTeeEvidence(challenge.tee, request.evidence));
  return ReadEvidence{std::move(request), report_data, std::move(evidence)};
}

}  // namespace

HttpResponse Problem(int status, const char* name, const std::string& detail) {
  Json body = {{"type", std::string("https://github.com/confidential-containers/kbs/errors/") + name},
               {"detail", detail}};
  return {.status = status, .content_type = "application/problem+json", .body = DumpJson(body)};
}

Service::Service(Store store, EcPrivateKey token_key, ServiceSettings settings)
    : store_(std::move(store)), token_key_(std::move(token_key)), settings_(std::move(settings)) {}

Result<std::vector<ReleasePolicy>> Service::LoadPolicies() {
  std::vector<ReleasePolicy> policies;
  TRY(store_.Transact([&]() -> Status {
    policies = TRY(DistinctPolicies(store_));
    return {};
  }));
  accepts_dev_ = std::ranges::any_of(policies, &ReleasePolicy::AcceptsDev);
  return policies;
}

Result<bool> Service::AcceptsDev() {
  TRY(LoadPolicies());
  return accepts_dev_.load();
}

HttpResponse Service::Handle(const HttpRequest& request) {
  std::string_view target = request.target;
  bool is_resource = target.starts_with(kResourcePrefix);
  if (target != kAuthTarget && target != kAttestTarget && !is_resource)
    return Problem(404, "InvalidRequestPath", "there is /kbs/v0/auth, /kbs/v0/attest and /kbs/v0/resource/REPO/TYPE/TAG");
  if (request.method != (is_resource ? "GET" : "POST"))
    return Problem(405, "HttpError", is_resource ? "resources are read with GET" : "this is asked with POST");
  if (is_resource) return GetResource(request, std::string(target.substr(kResourcePrefix.size())));
  return target == kAuthTarget ? Auth(request) : Attest(request);
}

HttpResponse Service::Auth(const HttpRequest& request) {
  Result<AuthRequest> auth = DecodeAuthRequest(request.body, settings_.kbs_version);
  if (!auth.ok()) {
    Report(request, "auth refused: " + auth.error().message);
    return Problem(401, "AttestationError", auth.error().message);
  }
  Result<Sessions::Challenge> challenge = sessions_.Open(auth->tee, settings_.now_s());
  if (!challenge.ok()) return Busy();
  Json params = "";
  if (auth->lists_hash_algorithms) params = {{"selected-hash-algorithm", "sha384"}};
  return {.set_cookie = std::string(kCookieName) + challenge->id + "; Path=/kbs/v0; HttpOnly; Secure; SameSite=Strict",
          .body = DumpJson({{"nonce", challenge->nonce}, {"extra-params", params}})};
}

HttpResponse Service::Attest(const HttpRequest& request) {
  std::string session = SessionIn(request.cookie);
  Result<Sessions::Challenge> challenge = sessions_.TakeChallenge(session, settings_.now_s());
  if (!challenge.ok()) {
    Report(request, "attest refused: " + challenge.error().message);
    return Problem(401, "AttestationError", "no such session, or its challenge was used or has expired: ask for another");
  }
  if (!MayAttest()) return Busy();
  Result<std::string> token = IssueFor(request.peer, *challenge, request.body);
  if (!token.ok()) {
    bool is_ours = token.error().code == ErrorCode::kUnavailable;
    Report(request, (is_ours ? "attest failed: " : "attest refused: ") + token.error().message);
    return is_ours ? Busy() : Problem(401, "AttestationError", "attestation refused");
  }
  sessions_.KeepToken(session, *token, settings_.now_s());
  Report(request, "attest accepted");
  return {.body = DumpJson({{"token", *token}})};
}

// Judges one attestation. All that is found goes to the audit log; the error's message is for the operator, not the client.
Result<std::string> Service::IssueFor(const std::string& peer, const Sessions::Challenge& challenge,
                                      std::string_view body) {
  Json refused = AttestEvent(peer, challenge.tee, "refused");
  Result<ReadEvidence> read = ReadAttest(body, challenge);
  if (!read.ok()) return Refuse(std::move(refused), read.error().message);
  Result<std::vector<Collateral>> collaterals = LoadCollateral(settings_.collateral_directory);
  if (!collaterals.ok()) return Unavailable(collaterals.error().message);
  std::vector<ReleasePolicy> policies = TRY(LoadPolicies());
  Appraisal appraisal = Appraise(
      read->evidence, {policies, *collaterals, read->report_data, settings_.now_s(), settings_.anchors});
  refused = Describe(appraisal.claims, std::move(refused));
  refused["policies"] = appraisal.refusals;
  if (!appraisal.evidence) return Refuse(std::move(refused), "no policy accepts the evidence");
  Attested attested = {.evidence = *appraisal.evidence,
                       .gives_something_up = appraisal.gives_something_up,
                       .device = DeviceOf(appraisal.evidence->claims()),
                       .policies = appraisal.accepted,
                       .nonce = challenge.nonce,
                       .tee_key = read->request.tee_key};
  std::optional<std::string> token = TRY(Accept(attested, AttestEvent(peer, challenge.tee, "accepted")));
  if (!token) return Refuse(std::move(refused), "the device is revoked");
  return *token;
}

// Issues a token and logs that; nothing where the device is revoked.
Result<std::optional<std::string>> Service::Accept(const Attested& attested, Json event) {
  int64_t now_s = settings_.now_s();
  IssuedToken token = TRY(IssueToken(token_key_, attested, now_s));
  event = Describe(attested.evidence.claims(), std::move(event));
  event["policies"] = attested.policies;
  event["token"] = token.id;
  bool is_revoked = false;
  TRY(store_.Transact([&]() -> Status {
    is_revoked = !attested.device.empty() && TRY(store_.IsRevoked(attested.device));
    return is_revoked ? Status() : store_.Log(event, now_s);
  }));
  if (is_revoked) return std::optional<std::string>();
  return std::optional(std::move(token.text));
}

// Logs a refusal and returns it; where it cannot be logged, that is the error.
Error Service::Refuse(Json event, const std::string& reason) {
  event["reason"] = reason;
  Status logged = store_.Transact([&] { return store_.Log(event, settings_.now_s()); });
  return logged.ok() ? AuthError(reason) : std::move(logged).error();
}

Result<std::string> Service::FindToken(const HttpRequest& request) {
  if (request.authorization.starts_with(kBearer)) return request.authorization.substr(kBearer.size());
  return sessions_.TokenOf(SessionIn(request.cookie), settings_.now_s());
}

HttpResponse Service::GetResource(const HttpRequest& request, const std::string& path) {
  if (!IsResourcePath(path)) return Problem(404, "InvalidRequestPath", "a resource's path is REPO/TYPE/TAG");
  int64_t now_s = settings_.now_s();
  Result<std::string> text = FindToken(request);
  if (!text.ok()) return Problem(401, "TokenNotFound", "a resource takes a token: attest first");
  Result<TokenContent> token = ReadToken(token_key_, *text, now_s);
  if (!token.ok()) {
    Report(request, "resource " + path + " refused: " + token.error().message);
    return Problem(401, "TokenVerifierError", "the token is not from here or has expired: attest again");
  }
  ReleaseDecision decision;
  Status done = store_.Transact([&]() -> Status {
    decision = TRY(DecideRelease(store_, path, *token, now_s));
    bool is_released = decision.status == 200;
    Json event = {{"event", "release"},       {"outcome", is_released ? "released" : "refused"},
                  {"peer", request.peer},     {"resource", path},
                  {"device", token->device},  {"token", token->id},
                  {"reason", decision.reason}, {"repeated", decision.is_repeated}};
    if (token->device.starts_with("dev:")) event["warning"] = "development TEE: a plain process, protects nothing";
    return store_.Log(event, now_s);
  });
  if (!done.ok()) {
    Report(request, "resource " + path + " failed: " + done.error().message);
    return Busy();
  }
  if (decision.status != 200) {
    Report(request, "resource " + path + " refused: " + decision.reason);
    return Problem(decision.status, decision.problem,
                   decision.status == 404 ? "no such resource" : "the resource's policy forbids it");
  }
  Report(request, "resource " + path + " released");
  return {.body = decision.jwe};
}

void Service::Report(const HttpRequest& request, const std::string& what) {
  std::string line = FormatTimestamp(settings_.now_s()) + ' ' + request.peer + ' ' + what;
  if (accepts_dev_) line += std::string(" [") + kDevLogWarning + ']';
  settings_.report(line);
}

// Anybody may ask for a challenge and fail it, and each failure is in the log: attests come at a bounded rate.
bool Service::MayAttest() {
  std::lock_guard lock(attests_mutex_);
  int64_t minute = settings_.now_s() / kSecondsPerMinute;
  if (std::exchange(attests_minute_, minute) != minute) attests_ = 0;
  return ++attests_ <= kMaxAttestsPerMinute;
}

}  // namespace soter
