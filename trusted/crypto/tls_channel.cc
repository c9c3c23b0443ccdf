#include "trusted/crypto/tls_channel.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <cerrno>

#include "trusted/crypto/evp.h"
#include "trusted/crypto/openssl_free.h"

namespace soter {
namespace {

using internal::OpenSslLibrary;

// OpenSSL's own socket BIO raises SIGPIPE when the peer is gone; this one does not.
int SocketOf(BIO* bio) { return static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio))); }

bool WouldBlock() { return errno == EAGAIN || errno == EINTR; }

int WriteSocket(BIO* bio, const char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t sent = ::send(SocketOf(bio), bytes, static_cast<size_t>(size), MSG_NOSIGNAL);
  if (sent < 0 && WouldBlock()) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int ReadSocket(BIO* bio, char* bytes, int size) {
  BIO_clear_retry_flags(bio);
  ssize_t got = ::recv(SocketOf(bio), bytes, static_cast<size_t>(size), 0);
  if (got < 0 && WouldBlock()) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long ControlSocket(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO_METHOD* SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "soter socket");
    CHECK(made != nullptr, "out of memory");
    BIO_meth_set_write(made, WriteSocket);
    BIO_meth_set_read(made, ReadSocket);
    BIO_meth_set_ctrl(made, ControlSocket);
    BIO_meth_set_create(made, [](BIO* bio) { return BIO_set_init(bio, 1), 1; });
    return made;
  }();
  return method;
}

std::string LastReason() {
  unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "no reason given" : reason;
}

using Context = std::unique_ptr<SSL_CTX, internal::Free<SSL_CTX_free>>;

Context NewContext() {
  Context context(SSL_CTX_new_ex(OpenSslLibrary(), nullptr, TLS_method()));
  CHECK(context && SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
            SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) == 1 &&
            SSL_CTX_set_num_tickets(context.get(), 0) == 1,
        "this OpenSSL has no TLS 1.3");
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

bool IsNumeric(const std::string& host) {
  in6_addr address;
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Status ExpectServer(SSL* ssl, const TlsServerName& server) {
  if (server.host.empty() || server.anchors.empty())
    return InvalidArgument("a TLS server needs a name and certificates to check it against");
  std::unique_ptr<X509_STORE, internal::Free<X509_STORE_free>> store(X509_STORE_new());
  CHECK(store, "out of memory");
  for (const Certificate& anchor : server.anchors)
    CHECK(X509_STORE_add_cert(store.get(), const_cast<X509*>(anchor.raw())) == 1, "out of memory");
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);  // an anchor may be the server's own certificate
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  bool numeric = IsNumeric(server.host);
  bool named = numeric ? X509_VERIFY_PARAM_set1_ip_asc(parameters, server.host.c_str()) == 1
                       : SSL_set1_host(ssl, server.host.c_str()) == 1 &&
                             SSL_set_tlsext_host_name(ssl, server.host.c_str()) == 1;
  if (!named || SSL_set1_verify_cert_store(ssl, store.get()) != 1)
    return InvalidArgument("\"" + server.host + "\" is not the name of a server");
  SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  return {};
}

}  // namespace

void TlsChannel::Free::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsChannel::~TlsChannel() {
  ERR_clear_error();
  // Whoever is still there learns that this is the end and no cut cable; nobody waits for it.
  if (SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::Open(UniqueFd socket, Role role, const Setup& setup,
                                                     wire::Deadline deadline) {
  std::unique_ptr<ssl_st, Free> ssl(SSL_new(NewContext().get()));
  BIO* bio = BIO_new(SocketMethod());
  CHECK(ssl && bio, "out of memory");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(socket.get())));
  SSL_set_bio(ssl.get(), bio, bio);
  role == Role::kPresents ? SSL_set_accept_state(ssl.get()) : SSL_set_connect_state(ssl.get());
  TRY(setup(ssl.get()));
  std::unique_ptr<TlsChannel> channel(new TlsChannel(std::move(socket), std::move(ssl)));
  TRY(channel->Handshake(deadline));
  if (role == Role::kJudges) TRY(channel->ReadPeer());
  return channel;
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::Present(UniqueFd socket, const TlsKey& key,
                                                        const Certificate& certificate, wire::Deadline deadline) {
  auto present = [&](SSL* ssl) -> Status {
    bool ready = SSL_use_certificate(ssl, const_cast<X509*>(certificate.raw())) == 1 &&
                 SSL_use_PrivateKey(ssl, key.raw()) == 1 && SSL_check_private_key(ssl) == 1;
    if (!ready) return InvalidArgument("a certificate of another key cannot be presented: " + LastReason());
    return {};
  };
  return Open(std::move(socket), Role::kPresents, present, deadline);
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::JudgePeer(UniqueFd socket, const Judge& judge, wire::Deadline deadline) {
  // OpenSSL checks that the peer has the key; the chain is not its to judge.
  auto leave_to_judge = [](SSL* ssl) -> Status {
    SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
    return {};
  };
  std::unique_ptr<TlsChannel> channel = TRY(Open(std::move(socket), Role::kJudges, leave_to_judge, deadline));
  TRY(judge(*channel->peer_));
  return channel;
}

Result<std::unique_ptr<TlsChannel>> TlsChannel::Connect(UniqueFd socket, const TlsServerName& server,
                                                        wire::Deadline deadline) {
  auto expect = [&](SSL* ssl) { return ExpectServer(ssl, server); };
  return Open(std::move(socket), Role::kJudges, expect, deadline);
}

Status TlsChannel::ReadPeer() {
  std::unique_ptr<X509, internal::Free<X509_free>> x509(SSL_get1_peer_certificate(ssl_.get()));
  if (!x509) return AuthError("the TLS peer showed no certificate");
  unsigned char* bytes = nullptr;
  int size = i2d_X509(x509.get(), &bytes);
  CHECK(size > 0, "a parsed certificate does not encode");
  std::unique_ptr<unsigned char, decltype([](unsigned char* b) { OPENSSL_free(b); })> owned(bytes);
  peer_ = TRY(Certificate::FromDer(std::as_bytes(std::span(bytes, static_cast<size_t>(size)))));
  return {};
}

Status TlsChannel::Handshake(wire::Deadline deadline) {
  Result<size_t> done = Drive([this](size_t*) { return SSL_do_handshake(ssl_.get()); }, deadline);
  if (done.ok()) return {};
  if (done.error().code == ErrorCode::kUnavailable) return done.error();
  long verified = SSL_get_verify_result(ssl_.get());
  std::string why = verified == X509_V_OK ? done.error().message : X509_verify_cert_error_string(verified);
  return AuthError("no TLS 1.3 connection: " + why);
}

// `call` is one OpenSSL operation, repeated until it is done: how much it moved, 0 where the peer ended the stream.
Result<size_t> TlsChannel::Drive(const std::function<int(size_t*)>& call, wire::Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    size_t moved = 0;
    int returned = call(&moved);
    if (returned == 1) return moved;
    switch (SSL_get_error(ssl_.get(), returned)) {
      case SSL_ERROR_WANT_READ:
        if (!wire::WaitReadable(fd(), deadline)) return Unavailable("no answer before the deadline");
        break;
      case SSL_ERROR_WANT_WRITE:
        if (!wire::WaitWritable(fd(), deadline)) return Unavailable("the peer took nothing in before the deadline");
        break;
      case SSL_ERROR_ZERO_RETURN: return size_t{0};
      case SSL_ERROR_SYSCALL: return Unavailable("the connection was closed by the peer");
      default:
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
          return Unavailable("the connection was closed by the peer");
        return Malformed("TLS: " + LastReason());
    }
    // A peer that floods us with records that move nothing does not move the deadline.
    if (deadline != wire::kNoDeadline && std::chrono::steady_clock::now() > deadline)
      return Unavailable("no answer before the deadline");
  }
}

Status TlsChannel::Send(std::span<const std::byte> bytes, wire::Deadline deadline) {
  if (bytes.empty()) return {};
  auto write = [&](size_t* moved) { return SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), moved); };
  if (TRY(Drive(write, deadline)) != bytes.size()) return Unavailable("the connection was closed by the peer");
  return {};
}

Result<size_t> TlsChannel::ReceiveSome(std::span<std::byte> target, wire::Deadline deadline) {
  CHECK(!target.empty(), "there is no room to receive into");
  return Drive([&](size_t* moved) { return SSL_read_ex(ssl_.get(), target.data(), target.size(), moved); }, deadline);
}

bool TlsChannel::AwaitReadable(wire::Deadline deadline) {
  return SSL_pending(ssl_.get()) > 0 || wire::WaitReadable(fd(), deadline);
}

}  // namespace soter
