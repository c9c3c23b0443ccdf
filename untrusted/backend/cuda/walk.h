#pragma once

#include <cstdint>

#include "common/graph/ops.h"

// The index arithmetic of the kernels, in functions that host and device share, so that tests need no device.
#ifdef __CUDACC__
#define SOTER_HOST_DEVICE __host__ __device__
#else
#define SOTER_HOST_DEVICE
#endif

namespace soter::cuda {

inline constexpr int kMaxWalkRank = 16;

// Divide is whole and rest of two numbers that are not negative. A device divides 32 bits several times as fast.
struct Divided {
  int64_t whole, rest;
};
SOTER_HOST_DEVICE inline Divided Divide(int64_t a, int64_t b) {
  if (((a | b) >> 32) != 0) return {a / b, a % b};
  uint32_t narrow = static_cast<uint32_t>(a), by = static_cast<uint32_t>(b), whole = narrow / by;
  return {whole, narrow - whole * by};
}

// ChannelOf is the channel of element i of a row-major [n, channels, plane].
SOTER_HOST_DEVICE inline int64_t ChannelOf(int64_t i, int64_t plane, int64_t channels) {
  return Divide(Divide(i, plane).whole, channels).rest;
}

// Walk is a path over `count` elements that N operands follow in step (common/compute/strided.h), as plain data that
// travels as a kernel's argument. MakeWalk (walk_plan.h) makes one.
template <int N>
struct Walk {
  int rank = 0;
  int64_t count = 0;
  int64_t extents[kMaxWalkRank] = {};
  int64_t strides[N][kMaxWalkRank] = {};
  int64_t offsets[N] = {};

  // At finds the operands' elements at position `i`.
  SOTER_HOST_DEVICE void At(int64_t i, int64_t (&at)[N]) const {
    for (int k = 0; k < N; ++k) at[k] = offsets[k];
    if (count <= INT32_MAX) Descend<uint32_t>(i, at);  // a device divides 32 bits several times as fast
    else Descend<uint64_t>(i, at);
  }

 private:
  template <typename Index>
  SOTER_HOST_DEVICE void Descend(int64_t i, int64_t (&at)[N]) const {
    Index rest = static_cast<Index>(i);
    for (int d = rank - 1; d > 0; --d) {
      Index extent = static_cast<Index>(extents[d]), above = rest / extent;
      int64_t index = static_cast<int64_t>(rest - above * extent);
      for (int k = 0; k < N; ++k) at[k] += index * strides[k][d];
      rest = above;
    }
    for (int k = 0; k < N; ++k) at[k] += static_cast<int64_t>(rest) * strides[k][0];
  }
};

// LaidOut describes a tensor [n, channels, plane...] in one of the layouts of common/tensor/tensor.h.
struct LaidOut {
  Layout layout = Layout::kDense;
  int64_t channels = 1, plane = 1;
};

inline constexpr int64_t kLaneCount = 16;  // channels of a block of kNChw16c

// OffsetInLayout is where the element at `dense` of the row-major tensor lies in the layout.
SOTER_HOST_DEVICE inline int64_t OffsetInLayout(const LaidOut& shape, int64_t dense) {
  auto [row, position] = Divide(dense, shape.plane);
  auto [image, channel] = Divide(row, shape.channels);
  if (shape.layout == Layout::kNhwc) return (image * shape.plane + position) * shape.channels + channel;
  if (shape.layout == Layout::kDense) return dense;
  int64_t blocks = (shape.channels + kLaneCount - 1) / kLaneCount;
  return ((image * blocks + channel / kLaneCount) * shape.plane + position) * kLaneCount + channel % kLaneCount;
}

// OffsetInDense is the inverse; -1 for an element that pads the layout.
SOTER_HOST_DEVICE inline int64_t OffsetInDense(const LaidOut& shape, int64_t laid_out) {
  if (shape.layout == Layout::kDense) return laid_out;
  if (shape.layout == Layout::kNhwc) {
    auto [row, channel] = Divide(laid_out, shape.channels);
    auto [image, position] = Divide(row, shape.plane);
    return (image * shape.channels + channel) * shape.plane + position;
  }
  int64_t lane = laid_out % kLaneCount, row = laid_out / kLaneCount;
  auto [block_row, position] = Divide(row, shape.plane);
  auto [image, block] = Divide(block_row, (shape.channels + kLaneCount - 1) / kLaneCount);
  int64_t channel = block * kLaneCount + lane;
  if (channel >= shape.channels) return -1;
  return (image * shape.channels + channel) * shape.plane + position;
}

// PaddedIndex is which element of an axis of `extent` elements a padded axis repeats at `i`, counted from the first
// element that is not padding; -1 for the constant.
SOTER_HOST_DEVICE inline int64_t PaddedIndex(PadMode mode, int64_t i, int64_t extent) {
  if (i >= 0 && i < extent) return i;
  switch (mode) {
    case PadMode::kConstant: return -1;
    case PadMode::kReflect: return i < 0 ? -i : 2 * extent - 2 - i;
    case PadMode::kEdge: return i < 0 ? 0 : extent - 1;
    case PadMode::kWrap: return (i % extent + extent) % extent;
  }
  return -1;
}

}  // namespace soter::cuda
