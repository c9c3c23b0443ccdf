#include "trusted/jose/jwe.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace soter {
namespace {

std::string Text(const SecretBytes& secret) { return std::string(AsText(secret.Expose())); }

EcPublicJwk PublicOf(const EcPrivateKey& key) { return {key.curve(), key.public_key()}; }

// The header of `jwe`, changed by `change`.
template <typename F>
std::string WithHeader(const std::string& jwe, F change) {
  Json json = ParseJson(jwe).value();
  std::vector<std::byte> bytes = JsonBytes(json, "protected", Base64::kUrl).value();
  Json header = ParseJson(AsText(bytes)).value();
  change(header);
  json["protected"] = EncodeBase64(AsBytes(DumpJson(header)), Base64::kUrl);
  return DumpJson(json);
}

TEST(Jwe, AnyPlaintextComesBackOnEveryCurve) {
  for (EcCurve curve : {EcCurve::kP256, EcCurve::kP384, EcCurve::kP521}) {
    EcPrivateKey key = EcPrivateKey::Generate(curve).value();
    EXPECT_TRUE(rc::check([&key](const std::string& text) {
      RC_ASSERT(Text(DecryptJwe(key, EncryptJwe(PublicOf(key), AsBytes(text)).value()).value()) == text);
    }));
  }
}

TEST(Jwe, HasTheMembersOfTheFlattenedForm) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  Json json = ParseJson(EncryptJwe(PublicOf(key), AsBytes("x")).value()).value();
  EXPECT_EQ(json.size(), 5u);
  EXPECT_TRUE(ExpectMembers(json, {"protected", "encrypted_key", "iv", "ciphertext", "tag"}).ok());
  Json header = ParseJson(AsText(JsonBytes(json, "protected", Base64::kUrl).value())).value();
  EXPECT_EQ(header["alg"], "ECDH-ES+A256KW");
  EXPECT_EQ(header["enc"], "A256GCM");
  EXPECT_EQ(header["epk"]["crv"], "P-256");
}

TEST(Jwe, TwoOfOneMessageShareNothing) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  Json a = ParseJson(EncryptJwe(PublicOf(key), AsBytes("message")).value()).value();
  Json b = ParseJson(EncryptJwe(PublicOf(key), AsBytes("message")).value()).value();
  for (const auto& [name, value] : a.items()) EXPECT_NE(value, b[name]) << name;
}

TEST(Jwe, AnotherKeyIsAuth) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  std::string jwe = EncryptJwe(PublicOf(key), AsBytes("message")).value();
  for (EcCurve curve : {EcCurve::kP256, EcCurve::kP521}) {
    EcPrivateKey other = EcPrivateKey::Generate(curve).value();
    EXPECT_EQ(DecryptJwe(other, jwe).error().code, ErrorCode::kAuth);
  }
  EXPECT_TRUE(DecryptJwe(key, jwe).ok());
}

TEST(Jwe, EveryChangedCharacterIsRefused) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  const std::string jwe = EncryptJwe(PublicOf(key), AsBytes("message")).value();
  for (size_t i = 0; i < jwe.size(); ++i) {
    std::string changed = jwe;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(DecryptJwe(key, changed).ok()) << i;
  }
  EXPECT_TRUE(DecryptJwe(key, jwe).ok());
}

TEST(Jwe, HeadersOfOtherAlgorithmsAndExtensionsAreUnsupported) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  std::string jwe = EncryptJwe(PublicOf(key), AsBytes("message")).value();
  for (const char* algorithm : {"ECDH-ES", "ECDH-ES+A128KW", "dir", "RSA1_5", "none"})
    EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [&](Json& h) { h["alg"] = algorithm; })).error().code,
              ErrorCode::kUnsupported);
  EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [](Json& h) { h["enc"] = "A128GCM"; })).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [](Json& h) { h["crit"] = Json::array(); })).error().code,
            ErrorCode::kUnsupported);
  EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [](Json& h) { h["zip"] = "DEF"; })).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [](Json& h) { h.erase("epk"); })).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(DecryptJwe(key, WithHeader(jwe, [](Json& h) { h["apu"] = "QQ"; })).error().code, ErrorCode::kAuth);
}

TEST(Jwe, OtherFormsAreMalformed) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  const Json good = ParseJson(EncryptJwe(PublicOf(key), AsBytes("message")).value()).value();
  for (const char* name : {"protected", "encrypted_key", "iv", "ciphertext", "tag"}) {
    Json json = good;
    json.erase(name);
    EXPECT_EQ(DecryptJwe(key, DumpJson(json)).error().code, ErrorCode::kMalformed) << name;
  }
  for (const char* name : {"aad", "header", "unprotected", "recipients"}) {
    Json json = good;
    json[name] = "QQ";
    EXPECT_EQ(DecryptJwe(key, DumpJson(json)).error().code, ErrorCode::kMalformed) << name;
  }
  for (const char* name : {"iv", "tag", "encrypted_key"}) {
    Json json = good;
    json[name] = "QQ";
    EXPECT_EQ(DecryptJwe(key, DumpJson(json)).error().code, ErrorCode::kMalformed) << name;
  }
}

TEST(Jwe, WhatIsTooLongIsRefusedOnBothSides) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  std::string longest(kMaxJwePlaintextBytes, 'x');
  EXPECT_EQ(Text(DecryptJwe(key, EncryptJwe(PublicOf(key), AsBytes(longest)).value()).value()), longest);
  EXPECT_EQ(EncryptJwe(PublicOf(key), AsBytes(longest + "x")).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace soter
