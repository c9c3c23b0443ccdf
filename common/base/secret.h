#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>
#include <utility>

namespace soter {

// Wipe overwrites `bytes` with zeros in a way that the compiler may not remove.
inline void Wipe(std::span<std::byte> bytes) {
  if (!bytes.empty()) explicit_bzero(bytes.data(), bytes.size());
}

// Secret holds a trivially copyable value that is wiped on destruction and on move, cannot be
// printed or copied by accident, and has no operator==: Expose() marks each place that looks at it.
template <typename T>
  requires std::is_trivially_copyable_v<T>
class Secret {
 public:
  Secret() : value_{} {}
  explicit Secret(const T& value) : value_(value) {}
  Secret(Secret&& other) noexcept : value_(other.value_) { other.Clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      value_ = other.value_;
      other.Clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { Clear(); }

  const T& Expose() const { return value_; }
  T& Expose() { return value_; }
  void Clear() { Wipe(std::as_writable_bytes(std::span(&value_, 1))); }

  template <typename U>
  friend bool operator==(const Secret&, const U&) = delete;

 private:
  T value_;
};

}  // namespace soter
