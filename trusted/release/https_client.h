#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/secret_bytes.h"
#include "common/wire/address.h"
#include "trusted/crypto/certificate.h"
#include "trusted/release/https_url.h"

namespace soter {

struct HttpsRequest {
  std::string method;         // GET or POST
  std::string target;         // below the URL's path: "/kbs/v0/auth"
  std::string body;           // JSON; empty: none
  std::string cookie;         // the header's value; empty: none
  std::string authorization;  // likewise
};

struct HttpsResponse {
  int status = 0;
  std::string body;
  std::string set_cookie;  // the first of them; empty: none
};

inline constexpr size_t kMaxResponseHeaderBytes = 16 * 1024, kMaxResponseBytes = 256 * 1024;

// HttpsClient asks one server, which it believes nothing but that it holds a certificate that was pinned.
class HttpsClient {
 public:
  HttpsClient(HttpsUrl url, std::vector<Certificate> anchors) : url_(std::move(url)), anchors_(std::move(anchors)) {}

  // Send makes one request over a connection of its own. Redirects are not followed: they are responses like others.
  // Errors: kAuth (the certificate is refused: another name or issuer, expired; no TLS 1.3; no HTTP/1.1; larger than the
  // limits above), kUnavailable (nobody there, gone in the middle, or later than the deadline).
  Result<HttpsResponse> Send(const HttpsRequest& request, wire::Deadline deadline) const;

  const HttpsUrl& url() const { return url_; }

 private:
  HttpsUrl url_;
  std::vector<Certificate> anchors_;
};

// ParseHttpsResponse reads one whole response as it stands on the wire. For tests and fuzzers.
// Errors: kAuth (no HTTP/1.1, or beyond the limits), kUnavailable (it ends early).
Result<HttpsResponse> ParseHttpsResponse(std::string_view bytes);

}  // namespace soter
