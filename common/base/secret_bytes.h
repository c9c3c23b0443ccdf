#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "common/base/secret.h"

namespace soter {

// SecretBytes is a buffer of fixed size that is wiped when it goes: the text of a key file, a decoded key.
// It is not locked in memory; what must be is a LockedBuffer (trusted/crypto/locked_memory.h).
class SecretBytes {
 public:
  explicit SecretBytes(size_t size_bytes) : bytes_(size_bytes) {}
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) { other.bytes_.clear(); }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    bytes_.swap(other.bytes_);
    return *this;
  }
  ~SecretBytes() { Wipe(bytes_); }

  std::span<const std::byte> Expose() const { return bytes_; }
  std::span<std::byte> Expose() { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace soter
