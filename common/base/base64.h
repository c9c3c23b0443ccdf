#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// Base64 (RFC 4648), canonical both ways: every byte string has one text, and no other text is accepted.
namespace soter {

enum class Base64 {
  kPadded,  // section 4, with '='
  kRaw,     // section 4, without '=' (age)
  kUrl,     // section 5, without '=' (JOSE)
};

std::string EncodeBase64(std::span<const std::byte> bytes, Base64 kind);

// DecodeBase64 is the inverse of EncodeBase64. Errors: kMalformed (a foreign character, white space, missing or
// surplus padding, bits set that no byte carries).
Result<std::vector<std::byte>> DecodeBase64(std::string_view text, Base64 kind);

// DecodeBase64To does the same into `out`, so that a key is never copied elsewhere; returns the bytes written.
// Errors: kMalformed (as above, or more than `out` holds).
Result<size_t> DecodeBase64To(std::string_view text, Base64 kind, std::span<std::byte> out);

}  // namespace soter
