// Handshakes in memory between our two contexts: who is trusted under which name, when, and with which version.
#include "trusted/crypto/tls_context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <time.h>

#include "common/base/bytes.h"
#include "trusted/crypto/server_certificate.h"

namespace soter {
namespace {

constexpr int64_t kDay = 24 * 3600;

struct Server {
  std::string certificate, key;
};

Server MakeServer(const ServerCertificate& content) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  SecretBytes pem = key.ToPem();
  return {SignServerCertificate(key, content).value(), std::string(AsText(pem.Expose()))};
}

ServerCertificate Valid(std::vector<std::string> names) {
  int64_t now = ::time(nullptr);
  return {std::move(names), now - kDay, now + kDay};
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Ssl = std::unique_ptr<SSL, FreeSsl>;

// Shakes hands over a pair of buffers; true when both sides are content.
bool ShakeHands(SSL* client, SSL* server) {
  BIO *client_bio, *server_bio;
  BIO_new_bio_pair(&client_bio, 0, &server_bio, 0);
  SSL_set_bio(client, client_bio, client_bio);
  SSL_set_bio(server, server_bio, server_bio);
  int client_done = 0, server_done = 0;
  for (int i = 0; i < 10 && !(client_done == 1 && server_done == 1); ++i) {
    if (client_done != 1) client_done = SSL_connect(client);
    if (client_done != 1 && SSL_get_error(client, client_done) == SSL_ERROR_SSL) return false;
    if (server_done != 1) server_done = SSL_accept(server);
  }
  return client_done == 1 && server_done == 1;
}

bool Connects(const Server& server, const std::string& trusted, const char* host, int client_version = 0) {
  TlsContext server_context = NewTlsServerContext(server.certificate, server.key).value();
  TlsContext client_context = NewTlsClientContext(trusted).value();
  Ssl client(SSL_new(client_context.get())), accepting(SSL_new(server_context.get()));
  SSL_set1_host(client.get(), host);
  if (client_version != 0) {
    SSL_set_min_proto_version(client.get(), client_version);
    SSL_set_max_proto_version(client.get(), client_version);
  }
  return ShakeHands(client.get(), accepting.get());
}

TEST(Tls, APinnedServerIsTrustedUnderItsNames) {
  Server server = MakeServer(Valid({"broker.example", "127.0.0.1", "::1"}));
  EXPECT_TRUE(Connects(server, server.certificate, "broker.example"));
  EXPECT_TRUE(Connects(server, server.certificate, "127.0.0.1"));
  EXPECT_TRUE(Connects(server, server.certificate, "::1"));
  EXPECT_FALSE(Connects(server, server.certificate, "other.example"));
  EXPECT_FALSE(Connects(server, server.certificate, "127.0.0.2"));
}

TEST(Tls, AnotherServerIsNotTrusted) {
  Server server = MakeServer(Valid({"broker.example"})), other = MakeServer(Valid({"broker.example"}));
  EXPECT_FALSE(Connects(server, other.certificate, "broker.example"));
  EXPECT_TRUE(Connects(server, other.certificate + server.certificate, "broker.example"));
}

TEST(Tls, DatesAreLookedAt) {
  int64_t now = ::time(nullptr);
  Server expired = MakeServer({{"a.example"}, now - 2 * kDay, now - kDay});
  Server early = MakeServer({{"a.example"}, now + kDay, now + 2 * kDay});
  EXPECT_FALSE(Connects(expired, expired.certificate, "a.example"));
  EXPECT_FALSE(Connects(early, early.certificate, "a.example"));
}

TEST(Tls, OlderVersionsAreRefused) {
  Server server = MakeServer(Valid({"a.example"}));
  EXPECT_TRUE(Connects(server, server.certificate, "a.example", TLS1_3_VERSION));
  EXPECT_FALSE(Connects(server, server.certificate, "a.example", TLS1_2_VERSION));
}

TEST(Tls, WhatIsNoCertificateOrKeyIsRefused) {
  Server server = MakeServer(Valid({"a.example"})), other = MakeServer(Valid({"a.example"}));
  EXPECT_TRUE(NewTlsServerContext(server.certificate, server.key).ok());
  EXPECT_EQ(NewTlsServerContext(server.certificate, other.key).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(NewTlsServerContext(server.key, server.key).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(NewTlsServerContext(server.certificate, server.certificate).error().code, ErrorCode::kMalformed);
  std::string cut = server.certificate.substr(0, server.certificate.size() / 2);
  for (const std::string& wrong : {std::string(), cut, std::string(70'000, 'A')})
    EXPECT_EQ(NewTlsClientContext(wrong).error().code, ErrorCode::kMalformed);
}

TEST(ServerCertificate, NamesThatAreNoneAreRefused) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  for (const char* name : {"", "a b", "a,DNS:b", "*.example", "-a", ".a", "a/b", "1.2.3.4,IP:5.6.7.8"})
    EXPECT_EQ(SignServerCertificate(key, Valid({name})).error().code, ErrorCode::kInvalidArgument) << name;
  EXPECT_EQ(SignServerCertificate(key, Valid({})).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(SignServerCertificate(key, {{"a"}, 2, 1}).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace soter
