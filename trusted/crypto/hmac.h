#pragma once

#include <cstddef>
#include <span>

#include "trusted/crypto/hash.h"

namespace soter {

// HmacSha256 authenticates `message` under `key` (RFC 2104). Compare with ConstantTimeEqual.
Sha256::Digest HmacSha256(std::span<const std::byte> key, std::span<const std::byte> message);

}  // namespace soter
