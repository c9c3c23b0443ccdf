#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace soter {

// ParseTimestamp reads "2025-06-19T10:56:11Z" as seconds since 1970, UTC; no other form is taken.
// Errors: kMalformed.
Result<int64_t> ParseTimestamp(std::string_view text);

// FormatTimestamp writes what ParseTimestamp reads.
std::string FormatTimestamp(int64_t seconds);

}  // namespace soter
