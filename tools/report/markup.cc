#include "tools/report/markup.h"

#include <charconv>
#include <cmath>

#include "common/base/check.h"

namespace soter::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The bytes of the UTF-8 sequence that `text` begins with; 0 where it begins with none, or with one that encodes a
// character that XML forbids (surrogates, U+FFFE, U+FFFF) or is longer than it has to be (RFC 3629).
size_t SequenceBytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  if (length == 1) return first >= 0x20 || first == '\t' || first == '\n' ? 1 : 0;
  uint32_t code = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3Fu);
  }
  bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  bool forbidden = (code >= 0xD800 && code < 0xE000) || code == 0xFFFE || code == 0xFFFF || code > 0x10FFFF;
  return overlong || forbidden ? 0 : length;
}

std::string_view Reference(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
  }
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    size_t length = SequenceBytes(text);
    if (length == 0) safe += kReplacement;
    else if (std::string_view reference = Reference(text[0]); !reference.empty()) safe += reference;
    else safe += text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return safe;
}

std::string Number(double value) {
  CHECK(std::isfinite(value), "a coordinate is finite");
  char buffer[400];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed, 2).ptr;
  std::string text(buffer, end);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

void Markup::Start(std::string_view element, Attributes attributes) {
  text_ += '<';
  text_ += element;
  for (const auto& [name, value] : attributes) {
    text_ += ' ';
    text_ += name;
    text_ += "=\"" + Escape(value) + "\"";
  }
}

void Markup::Open(std::string_view element, Attributes attributes) {
  Start(element, attributes);
  text_ += ">";
  open_ += element;
  open_ += '/';
}

void Markup::Close() {
  CHECK(!open_.empty(), "nothing is open");
  open_.pop_back();
  size_t start = open_.find_last_of('/') == std::string::npos ? 0 : open_.find_last_of('/') + 1;
  text_ += "</" + open_.substr(start) + ">\n";
  open_.erase(start);
}

void Markup::Empty(std::string_view element, Attributes attributes) {
  Start(element, attributes);
  text_ += "/>\n";
}

void Markup::Text(std::string_view text) { text_ += Escape(text); }

void Markup::Line(std::string_view element, std::string_view text, Attributes attributes) {
  Open(element, attributes);
  Text(text);
  Close();
}

std::string Markup::Take() && {
  CHECK(open_.empty(), "an element is not closed");
  return std::move(text_);
}

}  // namespace soter::report
