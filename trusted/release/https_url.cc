#include "trusted/release/https_url.h"

#include <algorithm>
#include <charconv>

namespace soter {
namespace {

constexpr size_t kMaxUrlBytes = 1024;

Error NotOurs(std::string_view text) {
  return InvalidArgument("\"" + std::string(text.substr(0, kMaxUrlBytes)) +
                         "\" is not the address of a broker: https://HOST[:PORT][/PATH]");
}

bool IsLetterOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool IsPath(std::string_view path) {
  return std::ranges::all_of(path, [](char c) { return IsLetterOrDigit(c) || c == '/' || c == '-' || c == '_' || c == '.'; });
}

bool IsHost(std::string_view host, bool in_brackets) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [=](char c) {
    return IsLetterOrDigit(c) || c == '.' || (in_brackets ? c == ':' : c == '-');
  });
}

bool ReadPort(std::string_view text, uint16_t& port) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port != 0;
}

}  // namespace

Result<HttpsUrl> ParseHttpsUrl(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  if (!text.starts_with(kScheme) || text.size() > kMaxUrlBytes) return NotOurs(text);
  std::string_view rest = text.substr(kScheme.size());
  HttpsUrl url;
  size_t slash = std::min(rest.find('/'), rest.size());
  url.authority = rest.substr(0, slash);
  url.path = rest.substr(slash);
  while (url.path.ends_with('/')) url.path.pop_back();

  std::string_view authority = url.authority;
  bool in_brackets = authority.starts_with('[');
  size_t host_end = in_brackets ? authority.find(']') : std::min(authority.find(':'), authority.size());
  if (host_end == std::string_view::npos) return NotOurs(text);
  url.host = in_brackets ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  std::string_view after = authority.substr(host_end + (in_brackets ? 1 : 0));
  bool port_good = after.empty() || (after.starts_with(':') && ReadPort(after.substr(1), url.port));
  if (!port_good || !IsHost(url.host, in_brackets) || !IsPath(url.path)) return NotOurs(text);
  return url;
}

}  // namespace soter
