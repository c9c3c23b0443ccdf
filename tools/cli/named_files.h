#pragma once

#include <utility>

#include "common/base/result.h"

namespace soter {

// NamedByUser turns a file that cannot be read or written into bad input: the user named it, and no peer is gone.
template <typename T>
Result<T> NamedByUser(Result<T> result) {
  if (result.ok() || result.error().code != ErrorCode::kUnavailable) return result;
  return InvalidArgument(result.error().message);
}

}  // namespace soter
