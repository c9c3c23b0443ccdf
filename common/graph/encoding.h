#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "common/graph/graph.h"

// What the encoder and the decoder of docs/spec/graph.md agree on.
namespace soter {

inline constexpr std::array<char, 8> kGraphMagic = {'S', 'O', 'T', 'E', 'R', 'G', 'R', '1'};
inline constexpr size_t kGraphHeaderBytes = 16;  // magic, u64 bytes of structure
inline constexpr size_t kGraphAlignment = 64;

// DataPlace says where an initializer's data is.
enum class DataPlace : uint8_t { kInline = 0, kStreamed = 1, kAccelerator = 2, kLast = kAccelerator };

DataPlace PlaceOf(const Initializer& initializer);

// PaddingAfter is how many zeros bring `size_bytes` to the alignment.
inline size_t PaddingAfter(size_t size_bytes) {
  return (kGraphAlignment - size_bytes % kGraphAlignment) % kGraphAlignment;
}

}  // namespace soter
