#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace soter {

// EncodeHex writes two lower-case digits per byte.
std::string EncodeHex(std::span<const std::byte> bytes);

// DecodeHex is its inverse. Errors: kMalformed (odd length, anything but 0-9 and a-f).
Result<std::vector<std::byte>> DecodeHex(std::string_view text);

// DecodeHexAnyCase takes upper-case digits too, as Intel and AMD write them. Errors: kMalformed.
Result<std::vector<std::byte>> DecodeHexAnyCase(std::string_view text);

}  // namespace soter
