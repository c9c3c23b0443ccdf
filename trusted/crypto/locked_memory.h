#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "common/base/result.h"

namespace soter {

// LockedBuffer is zeroed memory in protected pages (common/base/protected_pages.h) that are locked whatever the
// process does with its other memory.
class LockedBuffer {
 public:
  // Allocate locks `size_bytes`, rounded up to pages.
  // Errors: kExhausted (not enough memory, or RLIMIT_MEMLOCK too low: the message says how to raise it).
  static Result<LockedBuffer> Allocate(size_t size_bytes);

  LockedBuffer() = default;
  LockedBuffer(LockedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  LockedBuffer& operator=(LockedBuffer&& other) noexcept {
    std::swap(data_, other.data_), std::swap(size_bytes_, other.size_bytes_);
    return *this;
  }
  ~LockedBuffer();

  std::span<std::byte> bytes() { return {data_, size_bytes_}; }
  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }

 private:
  LockedBuffer(std::byte* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}

  std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace soter
