#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/unique_fd.h"
#include "common/wire/channel.h"
#include "trusted/crypto/certificate.h"
#include "trusted/crypto/tls_key.h"

struct ssl_st;

namespace soter {

// TlsServerName is what the certificate of an ordinary TLS server must show.
struct TlsServerName {
  std::string host;                  // a DNS name or a numeric address
  std::vector<Certificate> anchors;  // CAs, or the server's own certificate
};

// TlsChannel is TLS 1.3 over a connected, non-blocking socket: no older version, no resumption (a resumed session shows
// no certificate), no early data. One side presents a certificate, the other judges it; which of them opened the
// socket does not matter. The handshake is over, and the peer judged, before there is a channel.
// Errors of all three: kAuth (the peer is refused, or speaks something else), kUnavailable (gone, or late).
class TlsChannel final : public wire::Channel {
 public:
  using Judge = std::function<Status(const Certificate& peer)>;

  // Present is TLS's server: it shows `certificate`, whose key is `key`, and asks the peer for none.
  static Result<std::unique_ptr<TlsChannel>> Present(UniqueFd socket, const TlsKey& key, const Certificate& certificate,
                                                     wire::Deadline deadline);

  // JudgePeer is TLS's client: the peer has proven that it holds the key of its certificate, and `judge` decides what
  // else that is worth. Nothing about the certificate's chain, names or dates is looked at here.
  static Result<std::unique_ptr<TlsChannel>> JudgePeer(UniqueFd socket, const Judge& judge, wire::Deadline deadline);

  // Connect is TLS's client to an ordinary server: chain, name and dates as the web has them (RFC 5280, 6125), against
  // these anchors and no others.
  static Result<std::unique_ptr<TlsChannel>> Connect(UniqueFd socket, const TlsServerName& server,
                                                     wire::Deadline deadline);

  ~TlsChannel() override;
  TlsChannel(const TlsChannel&) = delete;

  Status Send(std::span<const std::byte> bytes, wire::Deadline deadline) override;
  Result<size_t> ReceiveSome(std::span<std::byte> target, wire::Deadline deadline) override;
  bool AwaitReadable(wire::Deadline deadline) override;
  int fd() const override { return socket_.get(); }

  // peer is the certificate that the other side showed; nothing on the side that presents.
  const std::optional<Certificate>& peer() const { return peer_; }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  enum class Role { kPresents, kJudges };
  using Setup = std::function<Status(ssl_st*)>;

  TlsChannel(UniqueFd socket, std::unique_ptr<ssl_st, Free> ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {}
  static Result<std::unique_ptr<TlsChannel>> Open(UniqueFd socket, Role role, const Setup& setup,
                                                  wire::Deadline deadline);
  Status Handshake(wire::Deadline deadline);
  Status ReadPeer();
  Result<size_t> Drive(const std::function<int(size_t*)>& call, wire::Deadline deadline);

  UniqueFd socket_;
  std::unique_ptr<ssl_st, Free> ssl_;
  std::optional<Certificate> peer_;
};

}  // namespace soter
