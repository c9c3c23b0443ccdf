#include "trusted/jose/jcs.h"

#include <algorithm>

namespace soter {
namespace {

constexpr int64_t kMaxExactInteger = (int64_t{1} << 53) - 1;
constexpr std::string_view kHexDigits = "0123456789abcdef";

// Reads one code point of well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) off the front of `text`.
Result<char32_t> TakeCodePoint(std::string_view& text) {
  auto byte = [&text](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  size_t size_bytes = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first >= 0x80 && (first < 0xc2 || first > 0xf4)) return Malformed("JSON text is not UTF-8");
  if (size_bytes > text.size()) return Malformed("JSON text is not UTF-8");
  char32_t point = size_bytes == 1 ? first : first & (0xff >> (size_bytes + 1));
  for (size_t i = 1; i < size_bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return Malformed("JSON text is not UTF-8");
    point = (point << 6) | (byte(i) & 0x3f);
  }
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (point < kLeast[size_bytes] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
    return Malformed("JSON text is not UTF-8");
  text.remove_prefix(size_bytes);
  return point;
}

Result<std::u16string> Utf16(std::string_view text) {
  std::u16string units;
  while (!text.empty()) {
    char32_t point = TRY(TakeCodePoint(text));
    if (point < 0x10000) {
      units += static_cast<char16_t>(point);
    } else {
      units += static_cast<char16_t>(0xd800 + ((point - 0x10000) >> 10));
      units += static_cast<char16_t>(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return units;
}

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\t': out += "\\t"; return;
    case '\n': out += "\\n"; return;
    case '\f': out += "\\f"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  auto value = static_cast<unsigned char>(c);
  if (value >= 0x20) {
    out += c;
    return;
  }
  out += "\\u00";
  out += kHexDigits[value >> 4];
  out += kHexDigits[value & 15];
}

Status AppendText(const std::string& text, std::string& out) {
  TRY(Utf16(text));  // for its errors
  out += '"';
  for (char c : text) AppendEscaped(c, out);
  out += '"';
  return {};
}

Status AppendNumber(const Json& json, std::string& out) {
  bool exact = json.is_number_unsigned() ? json.get<uint64_t>() <= static_cast<uint64_t>(kMaxExactInteger)
                                         : json.is_number_integer() && json.get<int64_t>() >= -kMaxExactInteger;
  if (!exact) return Unsupported("canonical JSON of a number that is not whole, or beyond 2^53 - 1");
  out += json.is_number_unsigned() ? std::to_string(json.get<uint64_t>()) : std::to_string(json.get<int64_t>());
  return {};
}

Status Append(const Json& json, std::string& out);

Status AppendObject(const Json& json, std::string& out) {
  std::vector<std::pair<std::u16string, const std::string*>> names;
  for (const auto& [name, value] : json.get_ref<const Json::object_t&>())
    names.emplace_back(TRY(Utf16(name)), &name);
  std::ranges::sort(names);
  out += '{';
  bool is_first = true;
  for (const auto& [units, name] : names) {
    if (!std::exchange(is_first, false)) out += ',';
    TRY(AppendText(*name, out));
    out += ':';
    TRY(Append(json.at(*name), out));
  }
  out += '}';
  return {};
}

Status AppendArray(const Json& json, std::string& out) {
  out += '[';
  bool is_first = true;
  for (const Json& value : json) {
    if (!std::exchange(is_first, false)) out += ',';
    TRY(Append(value, out));
  }
  out += ']';
  return {};
}

Status Append(const Json& json, std::string& out) {
  if (json.is_object()) return AppendObject(json, out);
  if (json.is_array()) return AppendArray(json, out);
  if (json.is_string()) return AppendText(json.get_ref<const std::string&>(), out);
  if (json.is_number()) return AppendNumber(json, out);
  if (json.is_boolean()) out += json.get<bool>() ? "true" : "false";
  else if (json.is_null()) out += "null";
  else return Malformed("not a JSON value");
  return {};
}

}  // namespace

Result<std::string> CanonicalJson(const Json& json) {
  std::string text;
  TRY(Append(json, text));
  return text;
}

}  // namespace soter
