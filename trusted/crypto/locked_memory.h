#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.h"

namespace soter {

// LockedBuffer is zeroed memory for keys and weights that is never swapped out, left out of core dumps, zero in
// a child process, and wiped when it goes. Against root and the kernel it protects nothing; a TEE does that.
class LockedBuffer {
 public:
  // Allocate locks `size_bytes`, rounded up to pages.
  // Errors: kExhausted (not enough memory, or RLIMIT_MEMLOCK too low: the message says how to raise it).
  static Result<LockedBuffer> Allocate(size_t size_bytes);

  LockedBuffer() = default;
  LockedBuffer(LockedBuffer&& other) noexcept;
  LockedBuffer& operator=(LockedBuffer&& other) noexcept;
  ~LockedBuffer() { Free(); }

  std::span<std::byte> bytes() { return {data_, size_bytes_}; }
  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }

 private:
  LockedBuffer(std::byte* data, size_t size_bytes) : data_(data), size_bytes_(size_bytes) {}
  void Free();

  std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
};

// ForbidInspection turns off core dumps, and ptrace by processes of the same user, for this process.
// Errors: kUnavailable (the system refuses).
Status ForbidInspection();

}  // namespace soter
