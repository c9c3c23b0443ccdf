#pragma once

#include <array>
#include <vector>

#include "common/compute/kernel.h"
#include "common/tensor/tensor.h"

namespace soter::compute {

inline constexpr size_t kMaxStridedRank = 2 * kMaxRank + 2;

// Strided is a walk over `extents` that several operands follow in step, each with its own strides (in elements;
// 0 repeats) and offset. It is how transposes, slices, concatenations, tiles and broadcasts are all described.
struct Strided {
  Shape extents;
  std::vector<Shape> strides;    // one per operand, as long as extents
  std::vector<int64_t> offsets;  // one per operand
};

// Collapse drops axes of extent 1 and joins neighbours that every operand walks as one; at least one axis is left.
Strided Collapse(const Strided& walk);

// BroadcastStrides gives the strides with which an operand of `shape` is walked along `extents` (NumPy's rules).
Shape BroadcastStrides(const Shape& shape, const Shape& extents);

// CopyWalk copies elements of `element_bytes` from operand 1 to operand 0 of a collapsed walk, with all threads.
void CopyWalk(const Strided& walk, size_t element_bytes, const std::byte* source, std::byte* target);

// MakeCopyKernel copies input 0 to output 0 along `walk` (operand 0: target, operand 1: source).
std::unique_ptr<Kernel> MakeCopyKernel(const Strided& walk, size_t element_bytes);

// RowOffsets finds the operands' offsets of one row (all axes but the last `inner` ones) of a collapsed walk.
template <size_t N>
std::array<int64_t, N> RowOffsets(const Strided& walk, size_t inner, int64_t row) {
  std::array<int64_t, N> at;
  for (size_t k = 0; k < N; ++k) at[k] = walk.offsets[k];
  for (size_t d = walk.extents.size() - inner; d-- > 0;) {
    int64_t index = row % walk.extents[d];
    row /= walk.extents[d];
    for (size_t k = 0; k < N; ++k) at[k] += index * walk.strides[k][d];
  }
  return at;
}

}  // namespace soter::compute
