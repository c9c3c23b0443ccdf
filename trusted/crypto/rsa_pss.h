#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.h"
#include "trusted/crypto/hash.h"

namespace soter {

// VerifyRsaPss succeeds when the owner of `public_key` signed `message` with RSASSA-PSS (RFC 8017, 8.1.2), the
// hash also in MGF1, and a salt as long as the digest.
//   public_key  a SubjectPublicKeyInfo in DER, rsaEncryption, 2048 to 8192 bits
// Errors: kMalformed (not such a key), kAuth (not signed by this key).
Status VerifyRsaPss(HashAlgorithm hash, std::span<const std::byte> public_key, std::span<const std::byte> message,
                    std::span<const std::byte> signature);

}  // namespace soter
