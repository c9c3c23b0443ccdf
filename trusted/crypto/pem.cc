#include "common/base/base64.h"
#include "trusted/crypto/certificate.h"

namespace soter {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";

// Takes one line off `text`, without its LF or CRLF. The last line may lack its end.
std::string_view TakeLine(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool IsMark(std::string_view line, std::string_view start) {
  return line.size() > start.size() + kDashes.size() && line.starts_with(start) && line.ends_with(kDashes);
}

std::string_view Label(std::string_view line, std::string_view start) {
  return line.substr(start.size(), line.size() - start.size() - kDashes.size());
}

Result<PemBlock> TakeBlock(std::string_view begin_line, std::string_view& text) {
  if (!IsMark(begin_line, kBegin)) return Malformed("text outside a PEM block: only the blocks may be there");
  std::string_view label = Label(begin_line, kBegin);
  std::string base64;
  bool short_line_seen = false;  // all lines but the last hold 64 characters, so a block has one layout
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (IsMark(line, kEnd)) {
      if (Label(line, kEnd) != label) return Malformed("a PEM block ends with another label than it began with");
      std::vector<std::byte> der = TRY(DecodeBase64(base64, Base64::kPadded));
      return PemBlock{std::string(label), std::move(der)};
    }
    if (short_line_seen || line.empty() || line.size() > 64) return Malformed("a PEM line is not of 64 characters");
    short_line_seen = line.size() < 64;
    base64 += line;
  }
  return Malformed("a PEM block has no end");
}

}  // namespace

Result<std::vector<PemBlock>> ReadPem(std::string_view text) {
  if (text.ends_with('\0')) text.remove_suffix(1);  // quotes carry their chain as a C string
  std::vector<PemBlock> blocks;
  while (!text.empty()) {
    std::string_view line = TakeLine(text);
    if (line.empty()) continue;
    blocks.push_back(TRY(TakeBlock(line, text)));
  }
  return blocks;
}

}  // namespace soter
