#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "common/base/private_memory.h"
#include "common/base/wipe.h"

namespace soter {

// Secret holds a trivially copyable value in memory that is locked where this process locks its secrets
// (common/base/private_memory.h), wiped on destruction, never copied when it moves, and cannot be printed or copied by
// accident. It has no operator==: Expose() marks each place that looks at it. Without memory for it the process ends.
template <typename T>
  requires std::is_trivially_copyable_v<T>
class Secret {
 public:
  Secret() : Secret(T{}) {}
  explicit Secret(const T& value) : memory_(PrivateMemory::Allocate(sizeof(T)).value()) {
    new (memory_.bytes().data()) T(value);
  }
  Secret(Secret&& other) noexcept = default;
  Secret& operator=(Secret&& other) noexcept {
    memory_ = std::move(other.memory_);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Clear(); }

  // Not after a move.
  const T& Expose() const { return *std::launder(reinterpret_cast<const T*>(memory_.bytes().data())); }
  T& Expose() { return *std::launder(reinterpret_cast<T*>(memory_.bytes().data())); }
  void Clear() { Wipe(memory_.bytes()); }

  template <typename U>
  friend bool operator==(const Secret&, const U&) = delete;

 private:
  PrivateMemory memory_;
};

}  // namespace soter
