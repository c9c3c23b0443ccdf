#pragma once

// CHECK aborts when `condition` is false, in every build: it guards against our own bugs only.
// What input, peers or hardware can cause is a Result (common/base/result.h).
#define CHECK(condition, message)                                                 \
  do {                                                                            \
    if (!(condition)) [[unlikely]]                                                \
      ::soter::internal::CheckFailed(#condition, message, __FILE__, __LINE__);    \
  } while (false)

namespace soter::internal {

[[noreturn]] void CheckFailed(const char* condition, const char* message, const char* file, int line);

}  // namespace soter::internal
