#include "trusted/release/https_client.h"

#include <gtest/gtest.h>

#include <string>

#include "trusted/release/https_url.h"

namespace soter {
namespace {

TEST(HttpsUrl, IsHostPortAndPath) {
  HttpsUrl url = ParseHttpsUrl("https://broker.example:8443/a/b/").value();
  EXPECT_EQ(url.host, "broker.example");
  EXPECT_EQ(url.port, 8443);
  EXPECT_EQ(url.path, "/a/b");
  EXPECT_EQ(url.authority, "broker.example:8443");
  HttpsUrl plain = ParseHttpsUrl("https://127.0.0.1").value();
  EXPECT_EQ(plain.port, 443);
  EXPECT_EQ(plain.path, "");
  HttpsUrl v6 = ParseHttpsUrl("https://[::1]:7000").value();
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, 7000);
}

TEST(HttpsUrl, OfAnotherFormIsRefused) {
  for (const char* text : {"", "https://", "http://host", "host:1", "https://:1", "https://host:", "https://host:0",
                           "https://host:65536", "https://host:1x", "https://user@host", "https://host/a?b", "https://host/#a",
                           "https://host/%41", "https://[::1", "https://[::1]x", "https://ho st", "https://host\r\nx: y"})
    EXPECT_EQ(ParseHttpsUrl(text).error().code, ErrorCode::kInvalidArgument) << text;
  EXPECT_FALSE(ParseHttpsUrl("https://" + std::string(2000, 'a')).ok());
}

TEST(HttpsResponse, IsReadWithItsLength) {
  HttpsResponse response =
      ParseHttpsResponse("HTTP/1.1 403 Forbidden\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 4\r\n\r\nbody").value();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "body");
  EXPECT_EQ(response.set_cookie, "a=b; Path=/");
}

TEST(HttpsResponse, MayBeChunked) {
  EXPECT_EQ(ParseHttpsResponse("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")->body,
            "abcd");
}

TEST(HttpsResponse, ThatEndsEarlyIsUnavailable) {
  std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(ParseHttpsResponse(whole.substr(0, size)).error().code, ErrorCode::kUnavailable) << size;
  EXPECT_TRUE(ParseHttpsResponse(whole).ok());
}

TEST(HttpsResponse, WithoutALengthIsRefused) {
  EXPECT_EQ(ParseHttpsResponse("HTTP/1.1 200 OK\r\n\r\nbody").error().code, ErrorCode::kAuth);
}

TEST(HttpsResponse, BeyondTheLimitsIsRefused) {
  std::string large = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMaxResponseBytes + 1) + "\r\n\r\n";
  EXPECT_EQ(ParseHttpsResponse(large).error().code, ErrorCode::kAuth);
  std::string header = "HTTP/1.1 200 OK\r\nX: " + std::string(kMaxResponseHeaderBytes, 'x') + "\r\n";
  EXPECT_EQ(ParseHttpsResponse(header).error().code, ErrorCode::kAuth);
  std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 5; ++i) chunks += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";
  EXPECT_EQ(ParseHttpsResponse(chunks).error().code, ErrorCode::kAuth);
}

// Room for the body must not be made before its length is refused, even where the body follows at once.
TEST(HttpsResponse, ThatPromisesMoreThanThereIsMemoryIsRefused) {
  std::string response = "HTTP/1.1 200 OK\r\nContent-Length: 888888888888888\r\n\r\nbody";
  EXPECT_EQ(ParseHttpsResponse(response).error().code, ErrorCode::kAuth);
}

TEST(HttpsResponse, ThatIsNotHttpIsRefused) {
  for (const char* text : {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n"})
    EXPECT_EQ(ParseHttpsResponse(text).error().code, ErrorCode::kAuth) << text;
}

}  // namespace
}  // namespace soter
