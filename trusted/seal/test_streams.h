#pragma once

// Streams over strings, for tests.

#include <algorithm>
#include <memory>
#include <string>

#include "common/base/bytes.h"
#include "common/base/stream.h"

namespace soter {

// SourceOf reads a copy of `text`, at most `piece_bytes` at a time.
inline ByteSource SourceOf(std::string text, size_t piece_bytes = 4093) {
  auto state = std::make_shared<std::pair<std::string, size_t>>(std::move(text), 0);
  return [state, piece_bytes](std::span<std::byte> out) -> Result<size_t> {
    auto& [bytes, offset] = *state;
    size_t size_bytes = std::min({out.size(), piece_bytes, bytes.size() - offset});
    std::ranges::copy(AsBytes(bytes).subspan(offset, size_bytes), out.begin());
    offset += size_bytes;
    return size_bytes;
  };
}

// SinkTo appends to `text`, which must outlive it.
inline ByteSink SinkTo(std::string& text) {
  return [&text](std::span<const std::byte> bytes) -> Status {
    text += AsText(bytes);
    return {};
  };
}

}  // namespace soter
