#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "common/base/private_memory.h"
#include "common/base/secret.h"

namespace soter {

// SecretBytes is a buffer of fixed size that is wiped when it goes and locked where this process locks its secrets
// (common/base/private_memory.h): the text of a key file, a decoded key. Zeroed; without memory the process ends.
class SecretBytes {
 public:
  explicit SecretBytes(size_t size_bytes) : memory_(PrivateMemory::Allocate(size_bytes).value()) { Wipe(Expose()); }
  SecretBytes(SecretBytes&& other) noexcept = default;
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    memory_ = std::move(other.memory_);
    return *this;
  }
  ~SecretBytes() { Wipe(Expose()); }

  std::span<const std::byte> Expose() const { return memory_.bytes(); }
  std::span<std::byte> Expose() { return memory_.bytes(); }

 private:
  PrivateMemory memory_;
};

}  // namespace soter
