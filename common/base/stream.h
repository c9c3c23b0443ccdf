#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "common/base/result.h"

namespace soter {

// ByteSink takes the next bytes of a stream, all of them or none.
using ByteSink = std::function<Status(std::span<const std::byte>)>;

// ByteSource puts the next bytes of a stream at the front of the span and returns how many: at least one, or 0
// at the end. It may return fewer than the span holds.
using ByteSource = std::function<Result<size_t>(std::span<std::byte>)>;

// ReadFull fills `out` from `source`, and returns how much it could: less than out.size() only at the end.
// Errors: those of `source`.
inline Result<size_t> ReadFull(const ByteSource& source, std::span<std::byte> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    size_t size = TRY(source(out.subspan(filled)));
    if (size == 0) break;
    filled += size;
  }
  return filled;
}

}  // namespace soter
