#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>

#include "common/base/result.h"

namespace soter {

// Reader takes little-endian fields off the front of untrusted bytes and fails at the first one
// that does not fit. It never reads outside its span and never allocates more than what is left of it.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  size_t remaining() const { return bytes_.size(); }

  // ReadNumber reads one fixed-width integer or float. Errors: kMalformed (too few bytes).
  template <typename T>
    requires std::is_arithmetic_v<T>
  Result<T> ReadNumber() {
    std::span<const std::byte> raw = TRY(ReadBytes(sizeof(T)));
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

  // ReadBytes returns a view of the next `size_bytes`. Errors: kMalformed (too few bytes).
  Result<std::span<const std::byte>> ReadBytes(size_t size_bytes) {
    if (size_bytes > bytes_.size()) return Malformed("input ends early");
    std::span<const std::byte> taken = bytes_.first(size_bytes);
    bytes_ = bytes_.subspan(size_bytes);
    return taken;
  }

  // ReadCount reads a u32 element count and refuses one whose elements, at `min_element_bytes` each,
  // cannot fit what is left. Errors: kMalformed.
  Result<uint32_t> ReadCount(size_t min_element_bytes) {
    uint32_t count = TRY(ReadNumber<uint32_t>());
    CHECK(min_element_bytes > 0, "a count of nothing is unbounded");
    if (count > bytes_.size() / min_element_bytes) return Malformed("a count exceeds the input");
    return count;
  }

  // ReadString reads a u32 length and that many bytes. Errors: kMalformed (too short, or over `max_bytes`).
  Result<std::string> ReadString(size_t max_bytes) {
    uint32_t size = TRY(ReadNumber<uint32_t>());
    if (size > max_bytes) return Malformed("a string is too long");
    std::span<const std::byte> raw = TRY(ReadBytes(size));
    return std::string(reinterpret_cast<const char*>(raw.data()), raw.size());
  }

  // ExpectEnd succeeds when everything was read. Errors: kMalformed (trailing bytes).
  Status ExpectEnd() const {
    if (!bytes_.empty()) return Malformed("trailing bytes");
    return {};
  }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace soter
