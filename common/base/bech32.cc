#include "common/base/bech32.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "common/base/secret.h"

namespace soter {
namespace {

constexpr std::string_view kDigits = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr size_t kChecksumDigits = 6;

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The BCH code of BIP 173: 1 for a valid word.
uint32_t Polymod(std::span<const uint8_t> word) {
  constexpr std::array<uint32_t, 5> kGenerator = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3};
  uint32_t checksum = 1;
  for (uint8_t digit : word) {
    uint32_t top = checksum >> 25;
    checksum = (checksum & 0x1ffffff) << 5 ^ digit;
    for (size_t i = 0; i < kGenerator.size(); ++i) checksum ^= (top >> i & 1) ? kGenerator[i] : 0;
  }
  return checksum;
}

// The prefix as the checksum covers it: high bits, zero, low bits.
std::vector<uint8_t> ExpandPrefix(std::string_view prefix) {
  std::vector<uint8_t> word;
  for (char c : prefix) word.push_back(static_cast<uint8_t>(ToLower(c)) >> 5);
  word.push_back(0);
  for (char c : prefix) word.push_back(static_cast<uint8_t>(ToLower(c)) & 31);
  return word;
}

void WipeDigits(std::vector<uint8_t>& digits) { Wipe(std::as_writable_bytes(std::span(digits))); }

Result<std::vector<std::byte>> PackDigits(std::span<const uint8_t> digits) {
  std::vector<std::byte> data;
  data.reserve(digits.size() * 5 / 8);
  uint32_t bits = 0;
  int bit_count = 0;
  for (uint8_t digit : digits) {
    bits = bits << 5 | digit;
    bit_count += 5;
    if (bit_count < 8) continue;
    bit_count -= 8;
    data.push_back(static_cast<std::byte>(bits >> bit_count));
  }
  if (bit_count >= 5 || (bits & ((1u << bit_count) - 1)) != 0) {
    Wipe(data);
    return Malformed("bech32 padding is not canonical");
  }
  return data;
}

// Refuses mixed case and everything that is not printable ASCII.
Status CheckCharacters(std::string_view text) {
  bool has_lower = false;
  bool has_upper = false;
  for (char c : text) {
    if (c < 33 || c > 126) return Malformed("a character is not bech32");
    has_lower |= c >= 'a' && c <= 'z';
    has_upper |= c >= 'A' && c <= 'Z';
  }
  if (has_lower && has_upper) return Malformed("bech32 mixes upper and lower case");
  return {};
}

}  // namespace

std::string EncodeBech32(std::string_view prefix, std::span<const std::byte> data) {
  std::vector<uint8_t> word = ExpandPrefix(prefix);
  size_t start = word.size();
  word.reserve(start + data.size() * 8 / 5 + 1 + kChecksumDigits);  // no reallocation leaves a copy of a key
  uint32_t bits = 0;
  int bit_count = 0;
  for (std::byte byte : data) {
    bits = bits << 8 | static_cast<uint32_t>(byte);
    for (bit_count += 8; bit_count >= 5; bit_count -= 5) word.push_back(bits >> (bit_count - 5) & 31);
  }
  if (bit_count > 0) word.push_back(bits << (5 - bit_count) & 31);
  word.resize(word.size() + kChecksumDigits);
  uint32_t checksum = Polymod(word) ^ 1;
  for (size_t i = 0; i < kChecksumDigits; ++i) word[word.size() - kChecksumDigits + i] = checksum >> (25 - 5 * i) & 31;

  std::string text;
  text.reserve(prefix.size() + 1 + word.size() - start);
  text.append(prefix).append("1");
  for (size_t i = start; i < word.size(); ++i) text += kDigits[word[i]];
  WipeDigits(word);
  return text;
}

Result<Bech32> DecodeBech32(std::string_view text) {
  if (text.size() > kMaxBech32Chars) return Malformed("bech32 text is too long");
  TRY(CheckCharacters(text));
  size_t separator = text.rfind('1');
  if (separator == std::string_view::npos || separator == 0) return Malformed("bech32 has no prefix");
  if (text.size() - separator - 1 < kChecksumDigits) return Malformed("bech32 has no checksum");
  std::string_view prefix = text.substr(0, separator);
  std::vector<uint8_t> word = ExpandPrefix(prefix);
  size_t start = word.size();
  word.reserve(start + text.size());
  for (char c : text.substr(separator + 1)) {
    size_t digit = kDigits.find(ToLower(c));
    if (digit == std::string_view::npos) return Malformed("a character is not bech32");
    word.push_back(static_cast<uint8_t>(digit));
  }
  bool valid = Polymod(word) == 1;
  std::span<const uint8_t> digits = std::span(word).subspan(start);
  Result<std::vector<std::byte>> data = PackDigits(digits.first(digits.size() - kChecksumDigits));
  WipeDigits(word);
  if (!valid) return Malformed("the bech32 checksum is wrong: a character was mistyped");
  if (!data.ok()) return std::move(data).error();
  return Bech32{std::string(prefix), std::move(data).value()};
}

}  // namespace soter
