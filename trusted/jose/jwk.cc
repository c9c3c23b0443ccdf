#include "trusted/jose/jwk.h"

#include <span>

#include "trusted/crypto/ec_key.h"

namespace soter {
namespace {

struct CurveName {
  EcCurve curve;
  const char* name;
};
constexpr CurveName kCurves[] = {{EcCurve::kP256, "P-256"}, {EcCurve::kP384, "P-384"}, {EcCurve::kP521, "P-521"}};

const char* NameOf(EcCurve curve) {
  for (const CurveName& row : kCurves)
    if (row.curve == curve) return row.name;
  CHECK(false, "a curve without a name");
}

Result<EcCurve> CurveOf(const std::string& name) {
  for (const CurveName& row : kCurves)
    if (row.name == name) return row.curve;
  return Unsupported("a JWK is on another curve than P-256, P-384 and P-521");
}

}  // namespace

Json EncodeJwk(const EcPublicJwk& key, std::string_view algorithm) {
  size_t half = EcCoordinateBytes(key.curve);
  CHECK(key.public_key.size() == 2 * half, "a public key has a wrong length");
  std::span point(key.public_key);
  Json json = {{"kty", "EC"},
               {"crv", NameOf(key.curve)},
               {"x", EncodeBase64(point.first(half), Base64::kUrl)},
               {"y", EncodeBase64(point.last(half), Base64::kUrl)}};
  if (!algorithm.empty()) json["alg"] = algorithm;
  return json;
}

Result<EcPublicJwk> DecodeJwk(const Json& json, std::string_view algorithm) {
  std::string kind = TRY(JsonText(json, "kty"));
  if (kind != "EC") return Unsupported("a JWK is of another kind than EC");
  EcPublicJwk key = {.curve = TRY(CurveOf(TRY(JsonText(json, "crv"))))};
  if (json.contains("d")) return Malformed("a JWK holds a private key, which must not leave its owner");
  if (!algorithm.empty() && TRY(JsonText(json, "alg")) != algorithm)
    return Unsupported("a JWK is for another algorithm than " + std::string(algorithm));
  std::vector<std::byte> x = TRY(JsonBytes(json, "x", Base64::kUrl));
  std::vector<std::byte> y = TRY(JsonBytes(json, "y", Base64::kUrl));
  if (x.size() != EcCoordinateBytes(key.curve) || y.size() != x.size())
    return Malformed("a JWK's coordinates have a wrong length");
  key.public_key = std::move(x);
  key.public_key.insert(key.public_key.end(), y.begin(), y.end());
  TRY(CheckEcPoint(key.curve, key.public_key));
  return key;
}

}  // namespace soter
