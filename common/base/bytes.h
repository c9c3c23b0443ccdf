#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace soter {

// ByteView is bytes that somebody else owns.
using ByteView = std::span<const std::byte>;

// AsBytes views text as bytes.
inline std::span<const std::byte> AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// AsText views bytes as text.
inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace soter
