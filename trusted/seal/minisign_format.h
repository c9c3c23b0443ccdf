#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"

// The line format that minisign's files share.
namespace soter::internal {

inline constexpr std::string_view kUntrustedComment = "untrusted comment: ";
inline constexpr std::string_view kTrustedComment = "trusted comment: ";
inline constexpr size_t kMaxMinisignLineBytes = 8192;

// SplitMinisignLines returns the `line_count` lines of a file whose last line break may be missing and whose line
// breaks may be CR LF. Errors: kMalformed (more or fewer lines, an overlong line, a control character).
Result<std::vector<std::string_view>> SplitMinisignLines(std::string_view text, size_t line_count);

// IsCommentText is true for what a comment may hold: UTF-8 or not, but no control character except tab.
bool IsCommentText(std::string_view text);

}  // namespace soter::internal
