#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "broker/http_message.h"
#include "broker/release_policy.h"
#include "broker/sessions.h"
#include "broker/store.h"
#include "broker/token.h"
#include "trusted/attest/verify/verify.h"
#include "trusted/crypto/ec_key.h"

namespace soter {

struct ServiceSettings {
  std::string kbs_version = "0.4.0";
  std::string collateral_directory;
  std::function<int64_t()> now_s;                  // seconds since 1970
  std::function<void(const std::string&)> report;  // one line for the operator
  const TrustAnchors& anchors = PinnedRoots();
};

// Service answers the requests of the key broker protocol (docs/spec/key-release.md). It knows nothing of sockets.
// Every decision about evidence and releases is in the audit log before the client hears of it.
// Safe to use from several threads.
class Service {
 public:
  Service(Store store, EcPrivateKey token_key, ServiceSettings settings);

  HttpResponse Handle(const HttpRequest& request);

  // AcceptsDev tells whether a policy accepts evidence of the development TEE; every line of a broker that does says so.
  // Errors: those of the store.
  Result<bool> AcceptsDev();

 private:
  HttpResponse Auth(const HttpRequest& request);
  HttpResponse Attest(const HttpRequest& request);
  HttpResponse GetResource(const HttpRequest& request, const std::string& path);

  Result<std::vector<ReleasePolicy>> LoadPolicies();
  Result<std::string> IssueFor(const std::string& peer, const Sessions::Challenge& challenge, std::string_view body);
  Result<std::optional<std::string>> Accept(const Attested& attested, Json event);
  Error Refuse(Json event, const std::string& reason);
  Result<std::string> FindToken(const HttpRequest& request);
  void Report(const HttpRequest& request, const std::string& what);
  bool MayAttest();

  Store store_;
  EcPrivateKey token_key_;
  ServiceSettings settings_;
  Sessions sessions_;
  std::atomic<bool> accepts_dev_ = false;  // as the policies were when last looked at, which each attestation does
  std::mutex attests_mutex_;
  int64_t attests_minute_ = 0;
  int attests_ = 0;
};

}  // namespace soter
