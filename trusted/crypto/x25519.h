#pragma once

#include <array>
#include <cstddef>

#include "common/base/result.h"
#include "common/base/secret.h"

// X25519 (RFC 7748).
namespace soter {

using X25519PublicKey = std::array<std::byte, 32>;
using X25519SecretKey = Secret<std::array<std::byte, 32>>;  // 32 random bytes; clamped where it is used

X25519PublicKey X25519Public(const X25519SecretKey& secret);

// X25519Shared returns the secret that the owners of `secret` and of `peer` share.
// Errors: kMalformed (`peer` has low order, so that the result would be known to all).
Result<X25519SecretKey> X25519Shared(const X25519SecretKey& secret, const X25519PublicKey& peer);

}  // namespace soter
