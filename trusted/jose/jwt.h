#pragma once

#include <string>
#include <string_view>

#include "trusted/crypto/ec_key.h"
#include "trusted/jose/jwk.h"

// Signed JSON: JWS in compact form (RFC 7515, 7.1) as JWT has it (RFC 7519). ES256 goes with P-256, ES384 with P-384;
// the key decides, never the token.
namespace soter {

inline constexpr size_t kMaxJwtBytes = 64 * 1024;

// SignJwt signs `claims`. `key` is on P-256 or P-384; `key_id`, where given, stands in the header as kid.
std::string SignJwt(const EcPrivateKey& key, const Json& claims, std::string_view key_id = {});

// VerifyJwt returns the claims of a token that the owner of `key` signed. What they say, and until when (exp), is the
// caller's to check: CheckJwtTimes. Errors: kMalformed (no such token), kUnsupported (a header that demands an
// extension, another curve), kAuth (another algorithm, or not signed by this key).
Result<Json> VerifyJwt(const EcPublicJwk& key, std::string_view token);

// CheckJwtTimes succeeds when `now_s`, in seconds since 1970, is before exp, which must be there, and not before nbf
// and iat. Errors: kMalformed (no exp, not a number), kAuth (expired, not valid yet).
Status CheckJwtTimes(const Json& claims, int64_t now_s);

}  // namespace soter
