#include "trusted/check/freivalds_kernels.h"

#include <algorithm>
#include <cstring>

#include "common/compute/simd.h"

// Written with the compiler's vector types, eight doubles wide, so that the accumulators stay in registers; on
// machines without AVX-512 the compiler splits them. This file is compiled with contraction, so that products and sums
// become fused multiply-adds: no result here has to be the same on every machine.
namespace soter::freivalds {

namespace {

using Vector = double __attribute__((vector_size(64)));
using Floats = float __attribute__((vector_size(32)));

#define SOTER_INLINE inline __attribute__((always_inline))

constexpr int64_t kLanes = 8;
constexpr int64_t kRows = 4;  // positions that share one load of the weights in Singles

// Values of up to eight lanes pass by reference: as arguments their ABI would depend on the machine.
SOTER_INLINE void Load(const double* from, Vector& to) { std::memcpy(&to, from, sizeof(to)); }
SOTER_INLINE void Store(const Vector& from, double* to) { std::memcpy(to, &from, sizeof(from)); }
SOTER_INLINE void Load(const float* from, Vector& to) {
  Floats narrow;
  std::memcpy(&narrow, from, sizeof(narrow));
  to = __builtin_convertvector(narrow, Vector);
}
SOTER_INLINE void Load(const float* from, int64_t count, Vector& to) {
  Floats narrow = {};
  std::memcpy(&narrow, from, static_cast<size_t>(count) * sizeof(float));
  to = __builtin_convertvector(narrow, Vector);
}

// SumLanes turns eight vectors into the vector of their sums.
SOTER_INLINE void SumLanes(const Vector* v, Vector& sums) {
  Vector pairs[4], fours[2];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    pairs[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
               __builtin_shufflevector(v[2 * i], v[2 * i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i)
    fours[i] = __builtin_shufflevector(pairs[2 * i], pairs[2 * i + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
               __builtin_shufflevector(pairs[2 * i], pairs[2 * i + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  sums = __builtin_shufflevector(fours[0], fours[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(fours[0], fours[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

// kCount dot products and the weighted sum of squares for kRows positions.
template <int64_t kCount>
SOTER_INLINE void SinglesOfRows(const Positions& x, const float* const* rows, const double* weights,
                                const double* squares, double* result) {
  const int64_t channels = x.block * x.blocks;
  // One list of vectors so that SumLanes takes them eight at a time; unused ones stay zero and cost nothing.
  Vector sums[kRows * 4] = {};
  double tails[kRows * 4] = {};
  for (int64_t b = 0; b < x.blocks; ++b) {
    int64_t i = 0;
    for (; i + kLanes <= x.block; i += kLanes) {
      Vector w[kCount + 1];
#pragma GCC unroll 4
      for (int64_t j = 0; j < kCount; ++j) Load(weights + j * channels + b * x.block + i, w[j]);
      Load(squares + b * x.block + i, w[kCount]);
#pragma GCC unroll 4
      for (int64_t r = 0; r < kRows; ++r) {
        Vector value;
        Load(rows[r] + b * x.block_stride + i, value);
#pragma GCC unroll 4
        for (int64_t j = 0; j < kCount; ++j) sums[r * 4 + j] += value * w[j];
        sums[r * 4 + 3] += value * w[kCount] * value;
      }
    }
    for (; i < x.block; ++i)
      for (int64_t r = 0; r < kRows; ++r) {
        double value = rows[r][b * x.block_stride + i];
        for (int64_t j = 0; j < kCount; ++j) tails[r * 4 + j] += value * weights[j * channels + b * x.block + i];
        tails[r * 4 + 3] += value * squares[b * x.block + i] * value;
      }
  }
  for (int64_t half = 0; half < 2; ++half) {
    Vector total, tail;
    SumLanes(sums + half * 8, total);
    Load(tails + half * 8, tail);
    Store(total + tail, result + half * 8);
  }
}

template <int64_t kCount>
SOTER_INLINE void SinglesBody(const Positions& x, const double* weights, const double* squares, Planes out) {
  for (int64_t p = 0; p < x.count; p += kRows) {
    const float* rows[kRows];
    double result[kRows * 4];
    for (int64_t r = 0; r < kRows; ++r) rows[r] = x.base + std::min(p + r, x.count - 1) * x.position_stride;
    SinglesOfRows<kCount>(x, rows, weights, squares, result);
    for (int64_t r = 0; r < std::min(kRows, x.count - p); ++r) {
      for (int64_t j = 0; j < kCount; ++j) out.base[j * out.stride + p + r] = result[r * 4 + j];
      out.base[kCount * out.stride + p + r] = result[r * 4 + 3];
    }
  }
}

SOTER_SIMD_CLONES void Singles0(const Positions& x, const double*, const double* squares, Planes out) {
  SinglesBody<0>(x, nullptr, squares, out);
}
SOTER_SIMD_CLONES void Singles1(const Positions& x, const double* weights, const double* squares, Planes out) {
  SinglesBody<1>(x, weights, squares, out);
}
SOTER_SIMD_CLONES void Singles2(const Positions& x, const double* weights, const double* squares, Planes out) {
  SinglesBody<2>(x, weights, squares, out);
}
SOTER_SIMD_CLONES void Singles3(const Positions& x, const double* weights, const double* squares, Planes out) {
  SinglesBody<3>(x, weights, squares, out);
}

// Widens one tile to doubles [kTile][channels], from which a broadcast is a plain load. Absent positions repeat the
// last one.
SOTER_INLINE void Widen(const Positions& x, double* to) {
  const int64_t channels = x.block * x.blocks;
  for (int64_t p = 0; p < kTile; ++p) {
    const float* from = x.base + std::min(p, x.count - 1) * x.position_stride;
    for (int64_t b = 0; b < x.blocks; ++b) {
      const float* block = from + b * x.block_stride;
      double* target = to + p * channels + b * x.block;
#pragma omp simd
      for (int64_t i = 0; i < x.block; ++i) target[i] = block[i];
    }
  }
}

// kVectors * 8 columns for the tile in `x` [kTile][channels]; writes whole lines of the planes, or `count` doubles.
template <int64_t kVectors>
SOTER_INLINE void GroupOfTile(const double* x, int64_t channels, const double* weights, int64_t count, Planes out) {
  Vector sums[kTile][kVectors] = {};
  for (int64_t c = 0; c < channels; ++c) {
    Vector w[kVectors];
#pragma GCC unroll 2
    for (int64_t v = 0; v < kVectors; ++v) Load(weights + (c * kVectors + v) * kLanes, w[v]);
#pragma GCC unroll 8
    for (int64_t p = 0; p < kTile; ++p) {
      double value = x[p * channels + c];
#pragma GCC unroll 2
      for (int64_t v = 0; v < kVectors; ++v) sums[p][v] += w[v] * value;
    }
  }
  double tile[kTile][kVectors * kLanes];
  for (int64_t p = 0; p < kTile; ++p)
    for (int64_t v = 0; v < kVectors; ++v) Store(sums[p][v], &tile[p][v * kLanes]);
  for (int64_t j = 0; j < kVectors * kLanes; ++j)
    for (int64_t p = 0; p < count; ++p) out.base[j * out.stride + p] = tile[p][j];
}

// Eight positions of planar channels at a time; weight (column j, channel c) = weights[j * column + c * channel].
template <int64_t kCount>
SOTER_INLINE void PlanarBody(const PlanarPositions& x, const double* weights, int64_t column, int64_t channel,
                             const double* squares, Planes out) {
  for (int64_t p = 0; p < x.count; p += kLanes) {
    int64_t lanes = std::min(kLanes, x.count - p);
    Vector sums[kCount + 1] = {};
    for (int64_t c = 0; c < x.channels; ++c) {
      const float* from = x.base + c * x.plane + p;
      Vector value;
      if (lanes == kLanes) Load(from, value);
      else Load(from, lanes, value);
#pragma GCC unroll 8
      for (int64_t j = 0; j < kCount; ++j) sums[j] += value * weights[j * column + c * channel];
      if (squares != nullptr) sums[kCount] += value * squares[c] * value;
    }
    for (int64_t j = 0; j < kCount + (squares != nullptr); ++j)
      std::memcpy(out.base + j * out.stride + p, &sums[j], static_cast<size_t>(lanes) * sizeof(double));
  }
}

}  // namespace

void Singles(const Positions& x, const double* weights, int64_t count, const double* squares, Planes out) {
  switch (count) {
    case 0: return Singles0(x, weights, squares, out);
    case 1: return Singles1(x, weights, squares, out);
    case 2: return Singles2(x, weights, squares, out);
    default: return Singles3(x, weights, squares, out);
  }
}

SOTER_SIMD_CLONES
void Groups(const Positions& x, const double* weights, int64_t columns, double* scratch, Planes out) {
  if (columns == 0) return;
  const int64_t channels = x.block * x.blocks;
  Widen(x, scratch);
  int64_t j = 0;
  for (; j + kGroup <= columns; j += kGroup)
    GroupOfTile<2>(scratch, channels, weights + j * channels, x.count, {out.base + j * out.stride, out.stride});
  if (j < columns)
    GroupOfTile<1>(scratch, channels, weights + j * channels, x.count, {out.base + j * out.stride, out.stride});
}

SOTER_SIMD_CLONES
void PlanarSingles(const PlanarPositions& x, const double* weights, int64_t count, const double* squares, Planes out) {
  switch (count) {
    case 0: return PlanarBody<0>(x, weights, x.channels, 1, squares, out);
    case 1: return PlanarBody<1>(x, weights, x.channels, 1, squares, out);
    case 2: return PlanarBody<2>(x, weights, x.channels, 1, squares, out);
    default: return PlanarBody<3>(x, weights, x.channels, 1, squares, out);
  }
}

SOTER_SIMD_CLONES
void PlanarGroups(const PlanarPositions& x, const double* weights, int64_t columns, Planes out) {
  for (int64_t j = 0; j < columns; j += kTile) {
    int64_t group = j / kGroup * kGroup;
    int64_t width = std::min(kGroup, columns - group);
    PlanarBody<kTile>(x, weights + group * x.channels + (j - group), 1, width, nullptr,
                      {out.base + j * out.stride, out.stride});
  }
}

SOTER_SIMD_CLONES
void AddRows(const float* w, int64_t rows, int64_t row_stride, int64_t width, const double* factors,
             int64_t factor_stride, int64_t columns, double* sums, int64_t sum_stride, double* squares) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* row = w + r * row_stride;
    for (int64_t j = 0; j < columns; ++j) {
      double factor = factors[j * factor_stride + r];
      double* sum = sums + j * sum_stride;
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) sum[i] += factor * double{row[i]};
    }
#pragma omp simd
    for (int64_t i = 0; i < width; ++i) squares[i] += double{row[i]} * double{row[i]};
  }
}

}  // namespace soter::freivalds
