#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// Bech32 (BIP 173) without its limit of 90 characters, as age writes its keys.
namespace soter {

struct Bech32 {
  std::string prefix;           // in the case of the text it came from
  std::vector<std::byte> data;
};

// EncodeBech32 returns lower-case text. `prefix` is lower-case printable ASCII.
std::string EncodeBech32(std::string_view prefix, std::span<const std::byte> data);

// DecodeBech32 is its inverse, for text that is all lower or all upper case.
// Errors: kMalformed (mixed case, foreign character, no separator, checksum, padding, over kMaxBech32Chars).
Result<Bech32> DecodeBech32(std::string_view text);

inline constexpr size_t kMaxBech32Chars = 4096;

}  // namespace soter
