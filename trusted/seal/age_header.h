#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/stream.h"

// The header of an age v1 file (C2SP age.md, "Header"): who may open it, in text.
namespace soter {

inline constexpr size_t kMaxAgeHeaderBytes = 256 * 1024;  // some two thousand recipients

// AgeStanza wraps the file key for one recipient; its first argument names the kind of recipient.
struct AgeStanza {
  std::vector<std::string> arguments;
  std::vector<std::byte> body;
};

struct AgeHeader {
  std::vector<AgeStanza> stanzas;
  std::array<std::byte, 32> mac;
};

// EncodeAgeStanzas writes the header up to and with "---", which is what its MAC covers.
std::string EncodeAgeStanzas(const std::vector<AgeStanza>& stanzas);

// EncodeAgeHeader writes the whole header.
std::string EncodeAgeHeader(const AgeHeader& header);

// ParseAgeHeader reads a whole header and accepts only what EncodeAgeHeader could have written, so that
// the MAC may be computed from either. Stanzas of unknown kinds are accepted. Errors: kMalformed.
Result<AgeHeader> ParseAgeHeader(std::string_view text);

// ReadAgeHeaderText takes a header off the front of `source`, up to the end of the line that starts with "---",
// and no byte more. Errors: kMalformed (the input ends first, or kMaxAgeHeaderBytes are not enough); those of
// `source`.
Result<std::string> ReadAgeHeaderText(const ByteSource& source);

}  // namespace soter
