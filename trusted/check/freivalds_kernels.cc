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

// Shuffles of two vectors whose sum has the lanes of both folded in half, one for each step of SumLanes.
SOTER_INLINE void Pair(const Floats& a, const Floats& b, Floats& sum) {
  sum = __builtin_shufflevector(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29) +
        __builtin_shufflevector(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
}
SOTER_INLINE void PairPairs(const Floats& a, const Floats& b, Floats& sum) {
  sum = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
        __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
}
SOTER_INLINE void PairHalves(const Floats& a, const Floats& b, Floats& sum) {
  sum = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
        __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
}
SOTER_INLINE void PairQuarters(const Floats& a, const Floats& b, Floats& sum) {
  sum = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
        __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
}

// SumLanes turns up to sixteen vectors into the vector of their sums; behind the last one it holds anything.
template <int kCount>
SOTER_INLINE void SumLanes(const Floats* v, Floats& sums) {
  constexpr int kEights = (kCount + 1) / 2, kFours = (kEights + 1) / 2, kTwos = (kFours + 1) / 2;
  Floats eights[kEights], fours[kFours], twos[kTwos];
#pragma GCC unroll 8
  for (int i = 0; i < kEights; ++i) Pair(v[2 * i], v[std::min(2 * i + 1, kCount - 1)], eights[i]);
#pragma GCC unroll 4
  for (int i = 0; i < kFours; ++i) PairPairs(eights[2 * i], eights[std::min(2 * i + 1, kEights - 1)], fours[i]);
#pragma GCC unroll 2
  for (int i = 0; i < kTwos; ++i) PairHalves(fours[2 * i], fours[std::min(2 * i + 1, kFours - 1)], twos[i]);
  PairQuarters(twos[0], twos[kTwos - 1], sums);
}

// One cell of kTiles tiles: a term for each probe, and one of the sum of squares.
template <int kTiles, int kProbes, bool kSquared, Squares kSquares>
SOTER_INLINE void AddCell(const float* x, int64_t step, const float* probes, const float* squares,
                          Floats (&sums)[kTiles][kProbes + 1]) {
  Floats w[kProbes + 1];
#pragma GCC unroll 4
  for (int j = 0; j < kProbes; ++j) Load(probes + j * kBlock, w[j]);
  if constexpr (kSquared && kSquares == Squares::kWeighted) Load(squares, w[kProbes]);
#pragma GCC unroll 8
  for (int t = 0; t < kTiles; ++t) {
    Floats value;
    Load(x + t * step, value);
#pragma GCC unroll 4
    for (int j = 0; j < kProbes; ++j) sums[t][j] += value * w[j];
    if constexpr (kSquared && kSquares == Squares::kOnes) sums[t][kProbes] += value * value;
    if constexpr (kSquared && kSquares == Squares::kWeighted) sums[t][kProbes] += (value * w[kProbes]) * value;
  }
}

// The sums of some tiles: float32 while a chain lasts, double precision beyond.
template <int kTiles, int kProbes>
struct Sums {
  static constexpr int kCount = kTiles * (kProbes + 1), kGroups = (kCount + 15) / 16;
  Floats lanes[kTiles][kProbes + 1];
  Doubles totals[kGroups][2];

  // As loops: a compiler zeroes large objects by a call that takes longer than short sums do.
  explicit SOTER_INLINE Sums(const double* so_far) {
#pragma GCC unroll 8
    for (int t = 0; t < kTiles; ++t)
#pragma GCC unroll 4
      for (int j = 0; j <= kProbes; ++j) lanes[t][j] = Floats{};
#pragma GCC unroll 2
    for (int group = 0; group < kGroups; ++group) totals[group][0] = totals[group][1] = Doubles{};
    if (so_far != nullptr) std::memcpy(totals, so_far, kCount * sizeof(double));
  }

  SOTER_INLINE void Fold() {
    FoldGroup<0>();
    if constexpr (kGroups > 1) FoldGroup<1>();
  }

  template <int kGroup>
  SOTER_INLINE void FoldGroup() {
    constexpr int kHere = std::min(16, kCount - kGroup * 16);
    Floats* from = &lanes[0][0] + kGroup * 16;
    Floats sums;
    SumLanes<kHere>(from, sums);
    Half low = __builtin_shufflevector(sums, sums, 0, 1, 2, 3, 4, 5, 6, 7);
    Half high = __builtin_shufflevector(sums, sums, 8, 9, 10, 11, 12, 13, 14, 15);
    totals[kGroup][0] += __builtin_convertvector(low, Doubles), totals[kGroup][1] += __builtin_convertvector(high, Doubles);
#pragma GCC unroll 16
    for (int i = 0; i < kHere; ++i) from[i] = Floats{};
  }
};

// The blocks of a position lie pages apart, which no hardware follows: Ahead walks before them, then before those of the
// next positions.
constexpr int64_t kBlocksAhead = 8;

struct Ahead {
  const float *at, *turn, *next;
  int64_t block_stride;

  template <int kTiles>
  SOTER_INLINE void Fetch() {
    if (at == turn) at = next;
#pragma GCC unroll 8
    for (int t = 0; t < kTiles; ++t) __builtin_prefetch(at + t * kBlock);
    at += block_stride;
  }
};

// Some blocks of channels, [begin, end), and where they lie for the tiles from `first` on.
struct Part {
  const float *x, *probes, *squares;
  int64_t probe_step, square_step;

  SOTER_INLINE Part(const Run& run, int64_t first, int64_t begin, int64_t probe_count)
      : x(run.tiles.base + (run.tiles.origin + first * run.tiles.step + begin * run.tiles.block_stride)),
        probe_step(run.weights.cells * probe_count * kBlock),
        square_step(run.weights.squares == nullptr ? 0 : run.weights.cells * kBlock) {
    probes = run.weights.probes + begin * probe_step, squares = run.weights.squares + begin * square_step;
  }
  SOTER_INLINE void Next(int64_t block_stride) { x += block_stride, probes += probe_step, squares += square_step; }
};

template <int kTiles, int kProbes, Squares kSquares>
SOTER_INLINE void DotsOf(const Run& run, int64_t first, int64_t begin, int64_t end) {
  double* result = run.sums + first * (kProbes + 1);
  Sums<kTiles, kProbes> sums(begin == 0 ? nullptr : result);
  Part part(run, first, begin, kProbes);
  for (int64_t b = begin; b < end; ++b, part.Next(run.tiles.block_stride)) {
    int64_t i = 0;
    for (; i < run.cells.squares; ++i) {
      const Cell& cell = run.cells.list[i];
      const float* squares = part.squares + (kSquares == Squares::kOnes ? 0 : cell.index * kBlock);
      AddCell<kTiles, kProbes, true, kSquares>(part.x + cell.offset, run.tiles.step, part.probes + cell.index * kProbes * kBlock,
                                               squares, sums.lanes);
    }
    for (; i < run.cells.count; ++i) {
      const Cell& cell = run.cells.list[i];
      AddCell<kTiles, kProbes, false, kSquares>(part.x + cell.offset, run.tiles.step, part.probes + cell.index * kProbes * kBlock,
                                                nullptr, sums.lanes);
    }
  }
  sums.Fold();
  std::memcpy(result, sums.totals, sums.kCount * sizeof(double));
}

// The same for tiles of one cell, which are the most.
template <int kTiles, int kProbes, Squares kSquares>
SOTER_INLINE void DotsOfCell(const Run& run, int64_t first, int64_t begin, int64_t end) {
  double* result = run.sums + first * (kProbes + 1);
  Sums<kTiles, kProbes> sums(begin == 0 ? nullptr : result);
  const Cell& cell = run.cells.list[0];
  Part part(run, first, begin, kProbes);
  part.x += cell.offset, part.probes += cell.index * kProbes * kBlock;
  if (kSquares == Squares::kWeighted) part.squares += cell.index * kBlock;
  const int64_t stride = run.tiles.block_stride;
  const bool fetches = run.tiles.step == kBlock && end - begin > kBlocksAhead;
  Ahead ahead{part.x + kBlocksAhead * stride, part.x + (end - begin) * stride, part.x + kTiles * kBlock, stride};
  for (int64_t b = begin; b < end; ++b, part.Next(stride)) {
    if (fetches) ahead.Fetch<kTiles>();
    AddCell<kTiles, kProbes, true, kSquares>(part.x, run.tiles.step, part.probes, part.squares, sums.lanes);
  }
  sums.Fold();
  std::memcpy(result, sums.totals, sums.kCount * sizeof(double));
}

template <int kTiles, int kProbes, Squares kSquares>
SOTER_INLINE void DotsOfTiles(const Run& run, int64_t first, int64_t begin, int64_t end) {
  if (run.cells.count == 1 && run.cells.squares == 1) DotsOfCell<kTiles, kProbes, kSquares>(run, first, begin, end);
  else DotsOf<kTiles, kProbes, kSquares>(run, first, begin, end);
}

// kWide: as many sums at a time as 32 registers of 512 bits hold.
template <int kProbes, Squares kSquares, bool kWide>
SOTER_INLINE void DotsOfRun(const Run& run, int64_t begin, int64_t end) {
  constexpr int kMost = kWide && kProbes <= 2 ? 8 : 4;
  const int64_t count = run.tiles.count;
  int64_t t = 0;
  for (; t + kMost <= count; t += kMost) DotsOfTiles<kMost, kProbes, kSquares>(run, t, begin, end);
  if (kMost > 4 && t + 4 <= count) DotsOfTiles<4, kProbes, kSquares>(run, t, begin, end), t += 4;
  if (t + 2 <= count) DotsOfTiles<2, kProbes, kSquares>(run, t, begin, end), t += 2;
  if (t < count) DotsOfTiles<1, kProbes, kSquares>(run, t, begin, end);
}

template <int kProbes, bool kWide>
SOTER_INLINE void DotsBody(const Run* runs, int64_t count) {
  int64_t cells = 1;
  for (int64_t i = 0; i < count; ++i) cells = std::max(cells, runs[i].cells.count);
  const int64_t blocks = count > 0 ? runs[0].tiles.blocks : 0, chain = std::max<int64_t>(1, kChain / cells);
  for (int64_t begin = 0; begin < blocks; begin += chain)
    for (int64_t i = 0; i < count; ++i) {
      const int64_t end = std::min(blocks, begin + chain);
      if (runs[i].weights.squares == nullptr) DotsOfRun<kProbes, Squares::kOnes, kWide>(runs[i], begin, end);
      else DotsOfRun<kProbes, Squares::kWeighted, kWide>(runs[i], begin, end);
    }
}

SOTER_SIMD_CLONES void Dots1(const Run* runs, int64_t count) { DotsBody<1, false>(runs, count); }
SOTER_SIMD_CLONES void Dots2(const Run* runs, int64_t count) { DotsBody<2, false>(runs, count); }
SOTER_SIMD_CLONES void WideDots2(const Run* runs, int64_t count) { DotsBody<2, true>(runs, count); }
SOTER_SIMD_CLONES void Dots3(const Run* runs, int64_t count) { DotsBody<3, false>(runs, count); }

bool HasWideRegisters() {
  static const bool has = __builtin_cpu_supports("avx512f") != 0;
  return has;
}

}  // namespace

void Dots(const Run* runs, int64_t count, int64_t probes) {
  switch (probes) {
    case 1: return Dots1(runs, count);
    case 2: return HasWideRegisters() ? WideDots2(runs, count) : Dots2(runs, count);
    default: return Dots3(runs, count);
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
