#include "trusted/release/https_client.h"

#include <netdb.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

#include "common/base/bytes.h"
#include "trusted/crypto/tls_channel.h"

namespace soter {
namespace {

namespace http = boost::beast::http;

constexpr size_t kPieceBytes = 16 * 1024;

// ResponseReader takes a response piece by piece, within the limits.
class ResponseReader {
 public:
  ResponseReader() {
    parser_.header_limit(kMaxResponseHeaderBytes);
    parser_.body_limit(kMaxResponseBytes);
    // An eager parser of Beast's makes room for the body that a header promises although the limit has refused it.
    parser_.eager(false);
  }

  // Errors: kAuth.
  Status Add(std::string_view bytes) {
    pending_ += bytes;
    while (!parser_.is_done() && !pending_.empty()) {
      boost::beast::error_code error;
      size_t taken = parser_.put(boost::asio::buffer(pending_), error);
      pending_.erase(0, taken);
      if (error == http::error::need_more) return {};
      if (error) return AuthError("it does not answer in HTTP/1.1 as a broker does: " + error.message());
    }
    return {};
  }

  bool is_done() const { return parser_.is_done(); }

  // A body without a length ends with the connection, so nobody could tell it from one that was cut off.
  Result<HttpsResponse> Finish() {
    if (parser_.is_header_done() && parser_.need_eof())
      return AuthError("it does not say how long its answer is");
    if (!parser_.is_done()) return Unavailable("it ended the connection in the middle of its answer");
    auto& message = parser_.get();
    HttpsResponse response{.status = static_cast<int>(message.result_int()), .body = std::move(message.body())};
    response.set_cookie = std::string(message[http::field::set_cookie]);
    return response;
  }

 private:
  http::response_parser<http::string_body> parser_;
  std::string pending_;
};

std::string EncodeRequest(const HttpsUrl& url, const HttpsRequest& request) {
  std::string text = request.method + " " + url.path + request.target + " HTTP/1.1\r\nHost: " + url.authority +
                     "\r\nAccept: application/json\r\nConnection: close\r\n";
  if (!request.cookie.empty()) text += "Cookie: " + request.cookie + "\r\n";
  if (!request.authorization.empty()) text += "Authorization: " + request.authorization + "\r\n";
  if (!request.body.empty())
    text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n";
  return text + "\r\n" + request.body;
}

using Addresses = std::unique_ptr<addrinfo, decltype([](addrinfo* a) { ::freeaddrinfo(a); })>;

// A name has to be looked up; who answers is held against the certificate.
Result<std::vector<wire::Address>> Resolve(const HttpsUrl& url) {
  addrinfo hints = {.ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  int error = ::getaddrinfo(url.host.c_str(), nullptr, &hints, &found);
  if (error != 0) return Unavailable(std::string("its name cannot be looked up: ") + ::gai_strerror(error));
  Addresses owned(found);
  std::vector<wire::Address> addresses;
  for (addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    char host[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, host, sizeof(host), nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.push_back({.kind = wire::Address::Kind::kTcp, .host = host, .port = url.port});
  }
  return addresses;
}

Result<UniqueFd> ConnectToAny(const std::vector<wire::Address>& addresses, wire::Deadline deadline) {
  Error last = Unavailable("it has no address");
  for (const wire::Address& address : addresses) {
    Result<UniqueFd> socket = wire::Connect(address, deadline);
    if (socket.ok()) return socket;
    last = std::move(socket).error();
  }
  return last;
}

}  // namespace

Result<HttpsResponse> HttpsClient::Send(const HttpsRequest& request, wire::Deadline deadline) const {
  UniqueFd socket = TRY(ConnectToAny(TRY(Resolve(url_)), deadline));
  std::unique_ptr<TlsChannel> channel =
      TRY(TlsChannel::Connect(std::move(socket), {.host = url_.host, .anchors = anchors_}, deadline));
  std::string text = EncodeRequest(url_, request);
  TRY(channel->Send(AsBytes(text), deadline));
  ResponseReader reader;
  std::vector<std::byte> piece(kPieceBytes);
  while (!reader.is_done()) {
    size_t size_bytes = TRY(channel->ReceiveSome(piece, deadline));
    if (size_bytes == 0) break;
    TRY(reader.Add(AsText(std::span(piece).first(size_bytes))));
  }
  return reader.Finish();
}

Result<HttpsResponse> ParseHttpsResponse(std::string_view bytes) {
  ResponseReader reader;
  TRY(reader.Add(bytes));
  return reader.Finish();
}

}  // namespace soter
