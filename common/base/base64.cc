#include "common/base/base64.h"

#include <array>
#include <cstdint>

namespace soter {
namespace {

constexpr std::string_view kStandardDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view Digits(Base64 kind) { return kind == Base64::kUrl ? kUrlDigits : kStandardDigits; }

// Removes the padding, which must be exactly what the length asks for.
Result<std::string_view> StripPadding(std::string_view text) {
  if (text.size() % 4 != 0) return Malformed("base64 is not padded to four characters");
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  return text.substr(0, text.size() - padding);
}

}  // namespace

std::string EncodeBase64(std::span<const std::byte> bytes, Base64 kind) {
  std::string_view digits = Digits(kind);
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  uint32_t bits = 0;
  int bit_count = 0;
  for (std::byte byte : bytes) {
    bits = (bits << 8) | static_cast<uint32_t>(byte);
    for (bit_count += 8; bit_count >= 6; bit_count -= 6) text += digits[(bits >> (bit_count - 6)) & 63];
  }
  if (bit_count > 0) text += digits[(bits << (6 - bit_count)) & 63];
  while (kind == Base64::kPadded && text.size() % 4 != 0) text += '=';
  return text;
}

Result<size_t> DecodeBase64To(std::string_view text, Base64 kind, std::span<std::byte> out) {
  if (kind == Base64::kPadded) text = TRY(StripPadding(text));
  if (text.size() % 4 == 1) return Malformed("base64 ends inside a byte");
  size_t size_bytes = text.size() / 4 * 3 + (text.size() % 4 == 0 ? 0 : text.size() % 4 - 1);
  if (size_bytes > out.size()) return Malformed("base64 holds more bytes than expected");
  std::string_view digits = Digits(kind);
  uint32_t bits = 0;
  int bit_count = 0;
  size_t written = 0;
  for (char c : text) {
    size_t digit = digits.find(c);
    if (digit == std::string_view::npos) return Malformed("a character is not base64");
    bits = (bits << 6) | static_cast<uint32_t>(digit);
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out[written++] = static_cast<std::byte>(bits >> bit_count);
    }
  }
  if ((bits & ((1u << bit_count) - 1)) != 0) return Malformed("base64 is not canonical");
  return written;
}

Result<std::vector<std::byte>> DecodeBase64(std::string_view text, Base64 kind) {
  std::vector<std::byte> bytes(text.size() / 4 * 3 + 2);
  bytes.resize(TRY(DecodeBase64To(text, kind, bytes)));
  return bytes;
}

}  // namespace soter
