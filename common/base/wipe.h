#pragma once

#include <cstddef>
#include <cstring>
#include <span>

namespace soter {

// Wipe overwrites `bytes` with zeros in a way that the compiler may not remove.
inline void Wipe(std::span<std::byte> bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace soter
