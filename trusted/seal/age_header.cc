#include "trusted/seal/age_header.h"

#include <algorithm>

#include "common/base/base64.h"
#include "common/base/bytes.h"

namespace soter {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanzaStart = "-> ";
constexpr std::string_view kMacStart = "---";
constexpr size_t kBodyColumns = 64;

// Lines takes lines that end in LF off the front of a text.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }
  bool NextStartsWith(std::string_view prefix) const { return text_.starts_with(prefix); }

  Result<std::string_view> Take() {
    size_t end = text_.find('\n');
    if (end == std::string_view::npos) return Malformed("the age header ends inside a line");
    std::string_view line = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return line;
  }

 private:
  std::string_view text_;
};

Result<std::vector<std::string>> ParseArguments(std::string_view line) {
  std::vector<std::string> arguments;
  while (true) {
    size_t end = std::min(line.find(' '), line.size());
    std::string_view argument = line.substr(0, end);
    if (argument.empty()) return Malformed("an age stanza has an empty argument");
    if (!std::ranges::all_of(argument, [](char c) { return c >= 33 && c <= 126; })) {
      return Malformed("an age stanza has an argument that is not printable ASCII");
    }
    arguments.emplace_back(argument);
    if (end == line.size()) return arguments;
    line.remove_prefix(end + 1);
  }
}

// A body is full lines of base64, then one shorter line that may be empty.
Result<std::vector<std::byte>> ParseBody(Lines& lines) {
  std::vector<std::byte> body;
  while (true) {
    std::string_view line = TRY(lines.Take());
    if (line.size() > kBodyColumns) return Malformed("an age stanza has a line of more than 64 columns");
    std::vector<std::byte> bytes = TRY(DecodeBase64(line, Base64::kRaw));
    body.insert(body.end(), bytes.begin(), bytes.end());
    if (line.size() < kBodyColumns) return body;
  }
}

Result<AgeStanza> ParseStanza(Lines& lines) {
  std::string_view line = TRY(lines.Take());
  if (!line.starts_with(kStanzaStart)) return Malformed("an age stanza does not start with \"-> \"");
  AgeStanza stanza;
  stanza.arguments = TRY(ParseArguments(line.substr(kStanzaStart.size())));
  stanza.body = TRY(ParseBody(lines));
  return stanza;
}

Status ParseMac(std::string_view line, std::array<std::byte, 32>& mac) {
  if (!line.starts_with("--- ")) return Malformed("the age header has no MAC");
  size_t size_bytes = TRY(DecodeBase64To(line.substr(4), Base64::kRaw, mac));
  if (size_bytes != mac.size()) return Malformed("the MAC of the age header is too short");
  return {};
}

}  // namespace

std::string EncodeAgeStanzas(const std::vector<AgeStanza>& stanzas) {
  std::string text(kVersionLine);
  text += '\n';
  for (const AgeStanza& stanza : stanzas) {
    text += "->";
    for (const std::string& argument : stanza.arguments) text += ' ' + argument;
    text += '\n';
    std::string body = EncodeBase64(stanza.body, Base64::kRaw);
    for (size_t i = 0; i <= body.size(); i += kBodyColumns) text += body.substr(i, kBodyColumns) + '\n';
  }
  return text += kMacStart;
}

std::string EncodeAgeHeader(const AgeHeader& header) {
  return EncodeAgeStanzas(header.stanzas) + ' ' + EncodeBase64(header.mac, Base64::kRaw) + '\n';
}

Result<AgeHeader> ParseAgeHeader(std::string_view text) {
  Lines lines(text);
  std::string_view version = TRY(lines.Take());
  if (version != kVersionLine) return Malformed("not an age v1 file (armored files are not accepted)");
  AgeHeader header;
  while (!lines.NextStartsWith(kMacStart)) header.stanzas.push_back(TRY(ParseStanza(lines)));
  if (header.stanzas.empty()) return Malformed("the age header names no recipient");
  std::string_view mac_line = TRY(lines.Take());
  TRY(ParseMac(mac_line, header.mac));
  if (!lines.empty()) return Malformed("bytes follow the MAC of the age header");
  return header;
}

Result<std::string> ReadAgeHeaderText(const ByteSource& source) {
  std::string text;
  size_t line_start = 0;
  while (text.size() < kMaxAgeHeaderBytes) {
    std::byte next;
    size_t size_bytes = TRY(source(std::span(&next, 1)));
    if (size_bytes == 0) return Malformed("the age header ends early");
    text += static_cast<char>(next);
    if (text.back() != '\n') continue;
    if (std::string_view(text).substr(line_start).starts_with(kMacStart)) return text;
    line_start = text.size();
  }
  return Malformed("the age header is longer than " + std::to_string(kMaxAgeHeaderBytes) + " bytes");
}

}  // namespace soter
