#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "common/base/secret.h"

namespace soter {

// HkdfSha256 derives one 32-byte key from `input_key`, `salt` and `info` (RFC 5869, L = 32).
Secret<std::array<std::byte, 32>> HkdfSha256(std::span<const std::byte> input_key, std::span<const std::byte> salt,
                                             std::string_view info);

}  // namespace soter
