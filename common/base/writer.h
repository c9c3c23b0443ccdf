#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/check.h"

namespace soter {

// Writer appends little-endian fields to a growing buffer; Reader reads them back.
class Writer {
 public:
  template <typename T>
    requires std::is_arithmetic_v<T>
  void WriteNumber(T value) {
    WriteBytes(std::as_bytes(std::span(&value, 1)));
  }

  void WriteBytes(std::span<const std::byte> bytes) {
    if (bytes.empty()) return;
    size_t offset = buffer_.size();
    buffer_.resize(offset + bytes.size());
    std::memcpy(buffer_.data() + offset, bytes.data(), bytes.size());
  }

  void WriteCount(size_t count) {
    CHECK(count <= UINT32_MAX, "a count does not fit its field");
    WriteNumber(static_cast<uint32_t>(count));
  }

  void WriteString(std::string_view text) {
    WriteCount(text.size());
    WriteBytes(std::as_bytes(std::span(text.data(), text.size())));
  }

  size_t size() const { return buffer_.size(); }
  std::span<const std::byte> bytes() const { return buffer_; }
  std::vector<std::byte> Take() && { return std::move(buffer_); }

 private:
  std::vector<std::byte> buffer_;
};

}  // namespace soter
