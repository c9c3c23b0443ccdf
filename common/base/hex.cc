#include "common/base/hex.h"

namespace soter {

namespace {
constexpr std::string_view kDigits = "0123456789abcdef";
}  // namespace

std::string EncodeHex(std::span<const std::byte> bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::byte byte : bytes) {
    text += kDigits[static_cast<size_t>(byte >> 4)];
    text += kDigits[static_cast<size_t>(byte & std::byte{15})];
  }
  return text;
}

Result<std::vector<std::byte>> DecodeHex(std::string_view text) {
  if (text.size() % 2 != 0) return Malformed("hexadecimal text has an odd length");
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) {
    size_t high = kDigits.find(text[i]);
    size_t low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) {
      return Malformed("a character is not a lower-case hexadecimal digit");
    }
    bytes.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return bytes;
}

Result<std::vector<std::byte>> DecodeHexAnyCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return DecodeHex(lower);
}

}  // namespace soter
