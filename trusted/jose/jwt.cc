#include "trusted/jose/jwt.h"

#include "common/base/bytes.h"
#include "trusted/crypto/ecdsa.h"

namespace soter {
namespace {

constexpr uint64_t kMaxTime = uint64_t{1} << 53;

Result<const char*> AlgorithmOf(EcCurve curve) {
  if (curve == EcCurve::kP256) return "ES256";
  if (curve == EcCurve::kP384) return "ES384";
  return Unsupported("tokens are signed with keys on P-256 and P-384 only");
}

Status CheckHeader(std::string_view encoded, const char* algorithm) {
  std::vector<std::byte> bytes = TRY(DecodeBase64(encoded, Base64::kUrl));
  Json header = TRY(ParseJson(AsText(bytes)));
  if (TRY(JsonText(header, "alg")) != algorithm)
    return AuthError(std::string("a token is signed with another algorithm than ") + algorithm);
  if (header.contains("crit")) return Unsupported("a token demands an extension");
  return {};
}

}  // namespace

std::string SignJwt(const EcPrivateKey& key, const Json& claims, std::string_view key_id) {
  Json header = {{"alg", AlgorithmOf(key.curve()).value()}, {"typ", "JWT"}};
  if (!key_id.empty()) header["kid"] = key_id;
  std::string token = EncodeBase64(AsBytes(DumpJson(header)), Base64::kUrl) + '.' +
                      EncodeBase64(AsBytes(DumpJson(claims)), Base64::kUrl);
  return token + '.' + EncodeBase64(key.Sign(AsBytes(token)), Base64::kUrl);
}

Result<Json> VerifyJwt(const EcPublicJwk& key, std::string_view token) {
  const char* algorithm = TRY(AlgorithmOf(key.curve));
  size_t first = token.find('.'), last = token.rfind('.');
  if (token.size() > kMaxJwtBytes || first == std::string_view::npos || first == last ||
      token.find('.', first + 1) != last)
    return Malformed("not a signed token of three parts and at most 64 KiB");
  TRY(CheckHeader(token.substr(0, first), algorithm));
  std::vector<std::byte> signature = TRY(DecodeBase64(token.substr(last + 1), Base64::kUrl));
  EcdsaKind kind = key.curve == EcCurve::kP256 ? EcdsaKind::kP256Sha256 : EcdsaKind::kP384Sha384;
  TRY(VerifyEcdsa(kind, key.public_key, AsBytes(token.substr(0, last)), signature));
  std::vector<std::byte> payload = TRY(DecodeBase64(token.substr(first + 1, last - first - 1), Base64::kUrl));
  Json claims = TRY(ParseJson(AsText(payload)));
  if (!claims.is_object()) return Malformed("a token's claims are not an object");
  return claims;
}

Status CheckJwtTimes(const Json& claims, int64_t now_s) {
  if (now_s < 0) return AuthError("the clock is before 1970");
  auto now = static_cast<uint64_t>(now_s);
  if (now >= TRY(JsonUnsigned(claims, "exp", kMaxTime))) return AuthError("a token has expired");
  for (const char* name : {"nbf", "iat"})
    if (claims.contains(name) && now < TRY(JsonUnsigned(claims, name, kMaxTime)))
      return AuthError("a token is not valid yet");
  return {};
}

}  // namespace soter
