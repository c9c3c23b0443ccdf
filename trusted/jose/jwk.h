#pragma once

#include <string_view>
#include <vector>

#include "trusted/crypto/ec_curve.h"
#include "trusted/jose/json.h"

namespace soter {

// kEcdhEsA256Kw is the key agreement that a TEE's key is for.
inline constexpr std::string_view kEcdhEsA256Kw = "ECDH-ES+A256KW";

// EcPublicJwk is a public key on a NIST curve (RFC 7517; RFC 7518, 6.2.1).
struct EcPublicJwk {
  EcCurve curve = EcCurve::kP256;
  std::vector<std::byte> public_key;  // x then y
};

// EncodeJwk writes kty, crv, x, y and, where one is given, alg.
Json EncodeJwk(const EcPublicJwk& key, std::string_view algorithm = {});

// DecodeJwk reads a key. Where `algorithm` is given, the key's alg must be just that. Members that it does not know are
// passed over, as RFC 7517, 4 wants; a private key is refused.
// Errors: kMalformed (no such key, not a point of its curve, a private key), kUnsupported (another kind or curve).
Result<EcPublicJwk> DecodeJwk(const Json& json, std::string_view algorithm = {});

}  // namespace soter
