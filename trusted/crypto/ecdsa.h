#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.h"

namespace soter {

enum class EcdsaKind {
  kP256Sha256,  // 64-byte keys and signatures
  kP384Sha384,  // 96-byte keys and signatures
};

// VerifyEcdsa succeeds when the owner of `public_key` signed `message` (FIPS 186-4).
//   public_key  x and y, big-endian        signature  r and s, big-endian
// Errors: kMalformed (a wrong length, a point off the curve), kAuth (not signed by this key).
Status VerifyEcdsa(EcdsaKind kind, std::span<const std::byte> public_key, std::span<const std::byte> message,
                   std::span<const std::byte> signature);

}  // namespace soter
