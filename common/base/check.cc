#include "common/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace soter::internal {

void CheckFailed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "soter: internal error: %s (%s) at %s:%d\n", message, condition, file, line);
  std::abort();
}

}  // namespace soter::internal
