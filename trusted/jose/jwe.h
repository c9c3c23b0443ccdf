#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/ec_key.h"
#include "trusted/jose/jwk.h"

// Encryption to one recipient: JWE in flattened JSON (RFC 7516, 7.2.2), ECDH-ES+A256KW and A256GCM (RFC 7518, 4.6
// and 5.3), with the whole header protected: the form of Trustee's key broker.
namespace soter {

inline constexpr size_t kMaxJwePlaintextBytes = 1 << 20;

// EncryptJwe encrypts `plaintext` to `recipient` under a fresh key.
// Errors: kInvalidArgument (longer than kMaxJwePlaintextBytes), kUnavailable (no randomness).
Result<std::string> EncryptJwe(const EcPublicJwk& recipient, ByteView plaintext);

// DecryptJwe is its inverse. Errors: kMalformed (not that form), kUnsupported (another algorithm, an extension),
// kAuth (for another key, or changed).
// Leaks: time depends on sizes and on whether the message is accepted.
Result<SecretBytes> DecryptJwe(const EcPrivateKey& key, std::string_view jwe);

}  // namespace soter
