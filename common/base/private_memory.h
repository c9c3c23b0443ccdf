#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "common/base/result.h"

// Where tensors (Buffer) and keys (Secret, SecretBytes) of this process lie. A process that holds secrets says so
// once, when it starts; in all others they are ordinary memory.
namespace soter {

enum class MemoryProtection : uint8_t {
  kNone,           // ordinary memory
  kLockIfAllowed,  // protected pages (common/base/protected_pages.h), locked as far as the system's limit goes
  kLock,           // protected pages that are locked, or refused
};

// RaiseMemoryProtection changes what is allocated from now on, and locks what is there already when it must be.
// Never lowers it. Errors: kExhausted (cannot be locked: names the limit; then all stays as it was).
Status RaiseMemoryProtection(MemoryProtection protection);
MemoryProtection CurrentMemoryProtection();

// PrivateMemory owns bytes aligned to 64, at least as protected as CurrentMemoryProtection was when they were
// allocated. Protected ones are wiped when they go.
class PrivateMemory {
 public:
  // Allocate returns memory of undefined contents. Errors: kExhausted.
  static Result<PrivateMemory> Allocate(size_t size_bytes);

  PrivateMemory() = default;
  PrivateMemory(PrivateMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)),
        is_protected_(other.is_protected_) {}
  PrivateMemory& operator=(PrivateMemory&& other) noexcept {
    std::swap(data_, other.data_), std::swap(size_bytes_, other.size_bytes_);
    std::swap(is_protected_, other.is_protected_);
    return *this;
  }
  ~PrivateMemory() { Free(); }

  std::span<std::byte> bytes() { return {data_, size_bytes_}; }
  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }

 private:
  void Free();

  std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
  bool is_protected_ = false;
};

}  // namespace soter
