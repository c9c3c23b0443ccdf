// TLS 1.3 over a socket pair: what is carried, and every way in which a peer is refused.
#include "trusted/crypto/tls_channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <time.h>

#include <future>

#include "common/wire/connection.h"

namespace soter {
namespace {

using std::chrono::milliseconds;
using Channel = Result<std::unique_ptr<TlsChannel>>;

wire::Deadline In(milliseconds wait) { return std::chrono::steady_clock::now() + wait; }
wire::Deadline Soon() { return In(milliseconds(5000)); }

struct Identity {
  TlsKey key;
  Certificate certificate;
};

Identity MakeIdentity(int64_t age_s = 0, const std::string& name = "soter") {
  TlsKey key = TlsKey::Generate().value();
  int64_t now = ::time(nullptr) - age_s;
  Certificate certificate =
      key.SelfSign({.common_name = name, .not_before = now - 60, .not_after = now + 60, .extension_oid = "1.2.3.4"}).value();
  return {std::move(key), std::move(certificate)};
}

struct Sockets {
  UniqueFd a, b;
};

Sockets MakeSockets() {
  int fds[2];
  CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0, "no socket pair");
  return {UniqueFd(fds[0]), UniqueFd(fds[1])};
}

Status Welcome(const Certificate&) { return {}; }

std::future<Channel> PresentAsync(UniqueFd socket, const Identity& identity) {
  return std::async(std::launch::async, [socket = std::move(socket), &identity]() mutable {
    return TlsChannel::Present(std::move(socket), identity.key, identity.certificate, Soon());
  });
}

struct Pair {
  std::unique_ptr<TlsChannel> presenter, judge;
};

Pair Open(const Identity& identity) {
  Sockets sockets = MakeSockets();
  std::future<Channel> presented = PresentAsync(std::move(sockets.a), identity);
  std::unique_ptr<TlsChannel> judge = TlsChannel::JudgePeer(std::move(sockets.b), Welcome, Soon()).value();
  return {presented.get().value(), std::move(judge)};
}

TEST(TlsChannel, CarriesFramesOfAnySizeBothWays) {
  Identity identity = MakeIdentity();
  Pair pair = Open(identity);
  EXPECT_EQ(pair.judge->peer()->ToDer(), identity.certificate.ToDer());
  wire::Connection one(std::move(pair.presenter), 1), other(std::move(pair.judge), 1);
  for (size_t size : {size_t{0}, size_t{1}, size_t{16384}, size_t{3'000'001}}) {
    for (auto [from, to] : {std::pair(&one, &other), std::pair(&other, &one)}) {
      std::vector<std::byte> sent(size, std::byte{7}), got(size);
      std::future<Status> sending =
          std::async(std::launch::async, [&] { return from->Send(3, 4, {sent}, Soon()); });
      EXPECT_EQ(to->Receive(size, Soon()).value().payload_bytes, size);
      EXPECT_TRUE(to->Read(got, Soon()).ok());
      EXPECT_TRUE(sending.get().ok());
      EXPECT_EQ(sent, got);
      EXPECT_FALSE(to->Readable());
    }
  }
}

// What lies decrypted in OpenSSL's buffer is not in the socket any more.
TEST(TlsChannel, WhatWasDecryptedAlreadyCanBeRead) {
  Identity identity = MakeIdentity();
  Pair pair = Open(identity);
  std::vector<std::byte> three(3, std::byte{1});
  ASSERT_TRUE(pair.presenter->Send(three, Soon()).ok());
  ASSERT_TRUE(pair.judge->AwaitReadable(Soon()));
  EXPECT_EQ(pair.judge->ReceiveSome(std::span(three).first(1), Soon()).value(), 1u);
  EXPECT_TRUE(pair.judge->AwaitReadable(In(milliseconds(0))));
  EXPECT_EQ(pair.judge->ReceiveSome(std::span(three).first(2), Soon()).value(), 2u);
  EXPECT_FALSE(pair.judge->AwaitReadable(In(milliseconds(0))));
  EXPECT_EQ(pair.judge->ReceiveSome(three, In(milliseconds(20))).error().code, ErrorCode::kUnavailable);
}

TEST(TlsChannel, TheEndIsToldFromACutConnection) {
  Identity identity = MakeIdentity();
  Pair pair = Open(identity);
  std::byte one;
  pair.presenter.reset();
  EXPECT_EQ(pair.judge->ReceiveSome({&one, 1}, Soon()).value(), 0u);
  Pair cut = Open(identity);
  ::shutdown(cut.presenter->fd(), SHUT_RDWR);
  EXPECT_EQ(cut.judge->ReceiveSome({&one, 1}, Soon()).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(cut.judge->Send({&one, 1}, Soon()).error().code, ErrorCode::kUnavailable);  // and no SIGPIPE
}

TEST(TlsChannel, AJudgeThatRefusesLeavesNoChannel) {
  Identity identity = MakeIdentity();
  Sockets sockets = MakeSockets();
  std::future<Channel> presented = PresentAsync(std::move(sockets.a), identity);
  Channel judged =
      TlsChannel::JudgePeer(std::move(sockets.b), [](const Certificate&) -> Status { return AuthError("not you"); }, Soon());
  ASSERT_FALSE(judged.ok());
  EXPECT_EQ(judged.error().message, "not you");
  std::byte one;
  std::unique_ptr<TlsChannel> alone = presented.get().value();
  Result<size_t> got = alone->ReceiveSome({&one, 1}, Soon());
  EXPECT_TRUE(!got.ok() || *got == 0);
}

TEST(TlsChannel, ACertificateOfAnotherKeyCannotBePresented) {
  Identity one = MakeIdentity(), other = MakeIdentity();
  Channel channel = TlsChannel::Present(MakeSockets().a, one.key, other.certificate, Soon());
  EXPECT_EQ(channel.error().code, ErrorCode::kInvalidArgument);
}

TEST(TlsChannel, APeerThatSpeaksSomethingElseIsAuth) {
  Identity identity = MakeIdentity();
  for (bool presents : {true, false}) {
    Sockets sockets = MakeSockets();
    std::vector<std::byte> plain(64, std::byte{'x'});
    ASSERT_TRUE(wire::SendBytes(sockets.b.get(), plain, Soon()).ok());
    Channel channel = presents
                          ? TlsChannel::Present(std::move(sockets.a), identity.key, identity.certificate, Soon())
                          : TlsChannel::JudgePeer(std::move(sockets.a), Welcome, Soon());
    ASSERT_FALSE(channel.ok());
    EXPECT_EQ(channel.error().code, ErrorCode::kAuth) << channel.error().message;
  }
}

TEST(TlsChannel, APeerThatStallsOrLeavesIsUnavailable) {
  Sockets sockets = MakeSockets();
  EXPECT_EQ(TlsChannel::JudgePeer(std::move(sockets.a), Welcome, In(milliseconds(30))).error().code,
            ErrorCode::kUnavailable);
  Sockets left = MakeSockets();
  left.b = UniqueFd();
  EXPECT_EQ(TlsChannel::JudgePeer(std::move(left.a), Welcome, Soon()).error().code, ErrorCode::kUnavailable);
}

TEST(TlsChannel, AnOlderTlsIsAuth) {
  Identity identity = MakeIdentity();
  Sockets sockets = MakeSockets();
  std::future<void> old = std::async(std::launch::async, [socket = std::move(sockets.a), &identity] {
    std::unique_ptr<SSL_CTX, decltype([](SSL_CTX* c) { SSL_CTX_free(c); })> context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_use_certificate(context.get(), const_cast<X509*>(identity.certificate.raw()));
    SSL_CTX_use_PrivateKey(context.get(), identity.key.raw());
    std::unique_ptr<SSL, decltype([](SSL* s) { SSL_free(s); })> ssl(SSL_new(context.get()));
    ::fcntl(socket.get(), F_SETFL, 0);
    SSL_set_fd(ssl.get(), socket.get());
    SSL_accept(ssl.get());
  });
  Channel channel = TlsChannel::JudgePeer(std::move(sockets.b), Welcome, Soon());
  ASSERT_FALSE(channel.ok());
  EXPECT_EQ(channel.error().code, ErrorCode::kAuth) << channel.error().message;
}

// The error of a client of `server` that finds `shown` there; nothing where it is content.
std::optional<ErrorCode> ConnectTo(const Identity& shown, const TlsServerName& server) {
  Sockets sockets = MakeSockets();
  std::future<Channel> presented = PresentAsync(std::move(sockets.a), shown);
  Channel channel = TlsChannel::Connect(std::move(sockets.b), server, Soon());
  return channel.ok() ? std::nullopt : std::optional(channel.error().code);
}

TEST(TlsChannel, AServerIsKnownByNameAnchorAndDate) {
  Identity server = MakeIdentity(), other = MakeIdentity(), expired = MakeIdentity(/*age_s=*/3600);
  EXPECT_EQ(ConnectTo(server, {"soter", {server.certificate}}), std::nullopt);
  EXPECT_EQ(ConnectTo(server, {"soter", {other.certificate, server.certificate}}), std::nullopt);
  EXPECT_EQ(ConnectTo(server, {"soter", {other.certificate}}), ErrorCode::kAuth);
  EXPECT_EQ(ConnectTo(server, {"sote", {server.certificate}}), ErrorCode::kAuth);
  EXPECT_EQ(ConnectTo(server, {"127.0.0.1", {server.certificate}}), ErrorCode::kAuth);
  EXPECT_EQ(ConnectTo(expired, {"soter", {expired.certificate}}), ErrorCode::kAuth);
  EXPECT_EQ(TlsChannel::Connect(MakeSockets().a, {"soter", {}}, Soon()).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(TlsChannel::Connect(MakeSockets().a, {"", {server.certificate}}, Soon()).error().code,
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace soter
