// Bech32 text is refused, or is what EncodeBech32 writes of it, in one case.

#include <algorithm>
#include <cctype>

#include "common/base/bech32.h"
#include "common/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::string text(reinterpret_cast<const char*>(data), size_bytes);
  soter::Result<soter::Bech32> decoded = soter::DecodeBech32(text);
  if (decoded.ok()) {
    auto lower = [](std::string s) {
      std::ranges::transform(s, s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      return s;
    };
    CHECK(soter::EncodeBech32(lower(decoded->prefix), decoded->data) == lower(text), "bech32 is not canonical");
  }
  return 0;
}
