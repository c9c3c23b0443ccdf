#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace soter {

// HttpsUrl is where a broker answers: https://HOST[:PORT][/PATH].
struct HttpsUrl {
  std::string host;        // a DNS name, or an address without brackets
  uint16_t port = 443;
  std::string path;        // "" or "/a/b": without a slash at its end
  std::string authority;   // as the Host header has it
};

// ParseHttpsUrl reads such a URL: no user, no query, no fragment, no escapes.
// Errors: kInvalidArgument (says what is accepted).
Result<HttpsUrl> ParseHttpsUrl(std::string_view text);

}  // namespace soter
