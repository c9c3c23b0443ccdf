#include "trusted/jose/jwt.h"

#include <gtest/gtest.h>

#include "common/base/bytes.h"

namespace soter {
namespace {

EcPublicJwk PublicOf(const EcPrivateKey& key) { return {key.curve(), key.public_key()}; }

std::string Part(std::string_view text) { return EncodeBase64(AsBytes(text), Base64::kUrl); }

std::string Signed(const EcPrivateKey& key, std::string_view header, std::string_view claims) {
  std::string token = Part(header) + '.' + Part(claims);
  return token + '.' + EncodeBase64(key.Sign(AsBytes(token)), Base64::kUrl);
}

TEST(Jwt, VerifiesTheExampleOfRfc7515AppendixA3) {
  EcPublicJwk key = DecodeJwk(Json{{"kty", "EC"},
                                   {"crv", "P-256"},
                                   {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                                   {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}})
                        .value();
  std::string token =
      "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
      ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
  Json claims = VerifyJwt(key, token).value();
  EXPECT_EQ(claims["iss"], "joe");
  EXPECT_TRUE(CheckJwtTimes(claims, 1300819379).ok());
  EXPECT_EQ(CheckJwtTimes(claims, 1300819380).error().code, ErrorCode::kAuth);
}

TEST(Jwt, ClaimsComeBackAndEveryChangedCharacterIsRefused) {
  for (EcCurve curve : {EcCurve::kP256, EcCurve::kP384}) {
    EcPrivateKey key = EcPrivateKey::Generate(curve).value();
    Json claims = {{"exp", 5}, {"text", "\u20ac"}};
    std::string token = SignJwt(key, claims, "kid");
    EXPECT_EQ(VerifyJwt(PublicOf(key), token).value(), claims);
    for (size_t i = 0; i < token.size(); ++i) {
      std::string changed = token;
      changed[i] = changed[i] == 'A' ? 'B' : 'A';
      EXPECT_FALSE(VerifyJwt(PublicOf(key), changed).ok()) << i;
    }
    EXPECT_EQ(VerifyJwt(PublicOf(EcPrivateKey::Generate(curve).value()), token).error().code, ErrorCode::kAuth);
  }
}

TEST(Jwt, TheKeyDecidesTheAlgorithm) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  EXPECT_TRUE(VerifyJwt(PublicOf(key), Signed(key, R"({"alg":"ES256"})", "{}")).ok());
  for (const char* algorithm : {"none", "HS256", "ES384", "es256", ""}) {
    std::string header = std::string(R"({"alg":")") + algorithm + "\"}";
    EXPECT_EQ(VerifyJwt(PublicOf(key), Signed(key, header, "{}")).error().code, ErrorCode::kAuth) << algorithm;
  }
  EXPECT_FALSE(VerifyJwt(PublicOf(key), Part(R"({"alg":"none"})") + '.' + Part("{}") + '.').ok());
  EXPECT_EQ(VerifyJwt(PublicOf(key), Signed(key, R"({"alg":"ES256","crit":["x"]})", "{}")).error().code,
            ErrorCode::kUnsupported);
  EcPrivateKey p521 = EcPrivateKey::Generate(EcCurve::kP521).value();
  EXPECT_EQ(VerifyJwt(PublicOf(p521), "a.b.c").error().code, ErrorCode::kUnsupported);
}

TEST(Jwt, OtherTextIsMalformed) {
  EcPrivateKey key = EcPrivateKey::Generate(EcCurve::kP256).value();
  for (const std::string& token : {std::string(), std::string("a.b"), std::string("a.b.c.d"), std::string("!.b.c"),
                                   std::string(kMaxJwtBytes, '.'), Signed(key, R"({"alg":"ES256"})", "[]"),
                                   Signed(key, R"({"alg":"ES256"})", "x"), Signed(key, "[]", "{}")})
    EXPECT_EQ(VerifyJwt(PublicOf(key), token).error().code, ErrorCode::kMalformed);
}

TEST(Jwt, TimesAreLookedAt) {
  EXPECT_TRUE(CheckJwtTimes({{"exp", 100}, {"nbf", 50}, {"iat", 50}}, 50).ok());
  EXPECT_EQ(CheckJwtTimes({{"exp", 100}, {"nbf", 50}}, 49).error().code, ErrorCode::kAuth);
  EXPECT_EQ(CheckJwtTimes({{"exp", 100}, {"iat", 50}}, 49).error().code, ErrorCode::kAuth);
  EXPECT_EQ(CheckJwtTimes({{"exp", 100}}, -1).error().code, ErrorCode::kAuth);
  EXPECT_EQ(CheckJwtTimes({{"iat", 50}}, 60).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(CheckJwtTimes({{"exp", "100"}}, 60).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(CheckJwtTimes({{"exp", 1e300}}, 60).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
