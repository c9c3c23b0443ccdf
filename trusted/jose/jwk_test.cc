#include "trusted/jose/jwk.h"

#include <gtest/gtest.h>

#include "trusted/crypto/ec_key.h"

namespace soter {
namespace {

EcPublicJwk FreshKey(EcCurve curve) { return {curve, EcPrivateKey::Generate(curve).value().public_key()}; }

TEST(Jwk, SurvivesItsJson) {
  for (EcCurve curve : {EcCurve::kP256, EcCurve::kP384, EcCurve::kP521}) {
    EcPublicJwk key = FreshKey(curve);
    Json json = EncodeJwk(key, kEcdhEsA256Kw);
    EXPECT_EQ(json.size(), 5u);
    EcPublicJwk read = DecodeJwk(json, kEcdhEsA256Kw).value();
    EXPECT_EQ(read.curve, curve);
    EXPECT_EQ(read.public_key, key.public_key);
    EXPECT_FALSE(EncodeJwk(key).contains("alg"));
  }
}

// Each change of a good key, and what is said of it.
TEST(Jwk, RefusesEachWrongMember) {
  const Json good = EncodeJwk(FreshKey(EcCurve::kP256), kEcdhEsA256Kw);
  ASSERT_TRUE(DecodeJwk(good, kEcdhEsA256Kw).ok());
  auto refused = [&good](const char* name, const Json& value, ErrorCode code) {
    Json json = good;
    json[name] = value;
    Result<EcPublicJwk> read = DecodeJwk(json, kEcdhEsA256Kw);
    ASSERT_FALSE(read.ok()) << name;
    EXPECT_EQ(read.error().code, code) << name << read.error().message;
  };
  refused("kty", "RSA", ErrorCode::kUnsupported);
  refused("crv", "secp256k1", ErrorCode::kUnsupported);
  refused("crv", "P-384", ErrorCode::kMalformed);
  refused("crv", 256, ErrorCode::kMalformed);
  refused("alg", "ECDH-ES", ErrorCode::kUnsupported);
  refused("x", good["y"], ErrorCode::kMalformed);
  refused("x", good["x"].get<std::string>() + "=", ErrorCode::kMalformed);
  refused("x", "AA", ErrorCode::kMalformed);
  refused("y", nullptr, ErrorCode::kMalformed);
  refused("d", "AA", ErrorCode::kMalformed);
  for (const char* name : {"kty", "crv", "alg", "x", "y"}) {
    Json json = good;
    json.erase(name);
    EXPECT_EQ(DecodeJwk(json, kEcdhEsA256Kw).error().code, ErrorCode::kMalformed) << name;
  }
  Json more = good;
  more["kid"] = "anything";
  EXPECT_TRUE(DecodeJwk(more, kEcdhEsA256Kw).ok());
}

}  // namespace
}  // namespace soter
