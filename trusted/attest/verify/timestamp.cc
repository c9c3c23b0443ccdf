#include "trusted/attest/verify/timestamp.h"

#include <time.h>

namespace soter {
namespace {

constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";

int Field(std::string_view text, size_t start, size_t digit_count) {
  int value = 0;
  for (char c : text.substr(start, digit_count)) value = value * 10 + (c - '0');
  return value;
}

}  // namespace

std::string FormatTimestamp(int64_t seconds) {
  time_t time = seconds;
  tm utc = {};
  char text[40];
  if (gmtime_r(&time, &utc) == nullptr || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0) return "?";
  return text;
}

Result<int64_t> ParseTimestamp(std::string_view text) {
  bool shaped = text.size() == kShape.size();
  for (size_t i = 0; shaped && i < kShape.size(); ++i)
    shaped = kShape[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == kShape[i];
  if (!shaped) return Malformed("a time is written like 2025-06-19T10:56:11Z");
  tm utc = {};
  utc.tm_year = Field(text, 0, 4) - 1900, utc.tm_mon = Field(text, 5, 2) - 1, utc.tm_mday = Field(text, 8, 2);
  utc.tm_hour = Field(text, 11, 2), utc.tm_min = Field(text, 14, 2), utc.tm_sec = Field(text, 17, 2);
  int64_t seconds = timegm(&utc);
  // timegm turns the 31st of June into the 1st of July; here that is an error.
  if (FormatTimestamp(seconds) != text) return Malformed("no point in time: " + std::string(text));
  return seconds;
}

}  // namespace soter
