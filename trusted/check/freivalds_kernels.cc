#include "trusted/check/freivalds_kernels.h"

#include <algorithm>
#include <cstring>

#include "common/compute/simd.h"

// Written with the compiler's vector types, sixteen floats wide, so that the accumulators stay in registers; on
// machines without AVX-512 the compiler splits them. This file is compiled with contraction, so that products and sums
// become fused multiply-adds: no result here has to be the same on every machine.
namespace soter::freivalds {
namespace {

using Floats = float __attribute__((vector_size(64)));
using Half = float __attribute__((vector_size(32)));
using Doubles = double __attribute__((vector_size(64)));

#define SOTER_INLINE inline __attribute__((always_inline))

enum class Squares { kOnes, kWeighted };

// Values wider than a register of the baseline pass by reference: as arguments their ABI would depend on the machine.
SOTER_INLINE void Load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof(to)); }

// Adds sixteen float lanes to eight double ones.
SOTER_INLINE void Fold(const Floats& from, Doubles& to) {
  Half low = __builtin_shufflevector(from, from, 0, 1, 2, 3, 4, 5, 6, 7);
  Half high = __builtin_shufflevector(from, from, 8, 9, 10, 11, 12, 13, 14, 15);
  to += __builtin_convertvector(low + high, Doubles);
}

// SumLanes turns eight vectors into the vector of their sums.
SOTER_INLINE void SumLanes(const Doubles* v, Doubles& sums) {
  Doubles pairs[4], fours[2];
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

// One cell of kTiles tiles: a term for each probe, and one of the sum of squares.
template <int kTiles, int kProbes, bool kSquared, Squares kSquares>
SOTER_INLINE void AddCell(const float* x, int64_t step, const float* probes, const float* squares,
                          Floats (&sums)[kTiles][kProbes + 1]) {
  Floats w[kProbes + 1];
#pragma GCC unroll 4
  for (int j = 0; j < kProbes; ++j) Load(probes + j * kBlock, w[j]);
  if constexpr (kSquared && kSquares == Squares::kWeighted) Load(squares, w[kProbes]);
#pragma GCC unroll 4
  for (int t = 0; t < kTiles; ++t) {
    Floats value;
    Load(x + t * step, value);
#pragma GCC unroll 4
    for (int j = 0; j < kProbes; ++j) sums[t][j] += value * w[j];
    if constexpr (kSquared && kSquares == Squares::kOnes) sums[t][kProbes] += value * value;
    if constexpr (kSquared && kSquares == Squares::kWeighted) sums[t][kProbes] += (value * w[kProbes]) * value;
  }
}

template <int kTiles, int kProbes>
SOTER_INLINE void FoldAll(Floats (&sums)[kTiles][kProbes + 1], Doubles* totals) {
#pragma GCC unroll 4
  for (int t = 0; t < kTiles; ++t)
#pragma GCC unroll 4
    for (int j = 0; j <= kProbes; ++j) {
      Fold(sums[t][j], totals[t * (kProbes + 1) + j]);
      sums[t][j] = Floats{};
    }
}

template <int kTiles, int kProbes, Squares kSquares>
SOTER_INLINE void DotsOf(const Tiles& tiles, int64_t first, const Cells& cells, const TileWeights& weights, double* result) {
  constexpr int kSums = kTiles * (kProbes + 1), kGroups = (kSums + 7) / 8;
  Floats sums[kTiles][kProbes + 1] = {};
  Doubles totals[kGroups * 8] = {};
  int64_t terms = 0;
  for (int64_t b = 0; b < tiles.blocks; ++b) {
    const float* x = tiles.base + (tiles.origin + first * tiles.step + b * tiles.block_stride);
    const float* probes = weights.probes + b * weights.cells * kProbes * kBlock;
    const float* squares = kSquares == Squares::kOnes ? nullptr : weights.squares + b * weights.cells * kBlock;
    if (terms + cells.count > kChain) FoldAll<kTiles, kProbes>(sums, totals), terms = 0;
    terms += cells.count;
    int64_t i = 0;
    for (; i < cells.squares; ++i) {
      const Cell& cell = cells.list[i];
      AddCell<kTiles, kProbes, true, kSquares>(x + cell.offset, tiles.step, probes + cell.index * kProbes * kBlock,
                                               squares + (kSquares == Squares::kOnes ? 0 : cell.index * kBlock), sums);
    }
    for (; i < cells.count; ++i) {
      const Cell& cell = cells.list[i];
      AddCell<kTiles, kProbes, false, kSquares>(x + cell.offset, tiles.step, probes + cell.index * kProbes * kBlock,
                                                nullptr, sums);
    }
  }
  FoldAll<kTiles, kProbes>(sums, totals);
  for (int group = 0; group < kGroups; ++group) {
    Doubles lanes;
    SumLanes(totals + group * 8, lanes);
    size_t kept = static_cast<size_t>(std::min(8, kSums - group * 8));
    std::memcpy(result + first * (kProbes + 1) + group * 8, &lanes, kept * sizeof(double));
  }
}

template <int kProbes, Squares kSquares>
SOTER_INLINE void DotsBody(const Tiles& tiles, const Cells& cells, const TileWeights& weights, double* result) {
  int64_t t = 0;
  for (; t + 4 <= tiles.count; t += 4) DotsOf<4, kProbes, kSquares>(tiles, t, cells, weights, result);
  if (t + 2 <= tiles.count) DotsOf<2, kProbes, kSquares>(tiles, t, cells, weights, result), t += 2;
  if (t < tiles.count) DotsOf<1, kProbes, kSquares>(tiles, t, cells, weights, result);
}

SOTER_SIMD_CLONES void Dots1(const Tiles& x, const Cells& cells, const TileWeights& weights, double* result) {
  if (weights.squares == nullptr) DotsBody<1, Squares::kOnes>(x, cells, weights, result);
  else DotsBody<1, Squares::kWeighted>(x, cells, weights, result);
}
SOTER_SIMD_CLONES void Dots2(const Tiles& x, const Cells& cells, const TileWeights& weights, double* result) {
  if (weights.squares == nullptr) DotsBody<2, Squares::kOnes>(x, cells, weights, result);
  else DotsBody<2, Squares::kWeighted>(x, cells, weights, result);
}
SOTER_SIMD_CLONES void Dots3(const Tiles& x, const Cells& cells, const TileWeights& weights, double* result) {
  if (weights.squares == nullptr) DotsBody<3, Squares::kOnes>(x, cells, weights, result);
  else DotsBody<3, Squares::kWeighted>(x, cells, weights, result);
}

}  // namespace

void Dots(const Tiles& tiles, const Cells& cells, const TileWeights& weights, int64_t probes, double* sums) {
  switch (probes) {
    case 1: return Dots1(tiles, cells, weights, sums);
    case 2: return Dots2(tiles, cells, weights, sums);
    default: return Dots3(tiles, cells, weights, sums);
  }
}

SOTER_SIMD_CLONES
void AddRows(const float* w, int64_t rows, int64_t row_stride, int64_t width, const float* factors,
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
