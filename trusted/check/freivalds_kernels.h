#pragma once

#include <cstdint>

// The inner loops of Freivalds' check: dot products of tiles of float tensors with secret weights, several tiles at a
// time. Products and sums of up to kChain terms are float32 (fused, so one rounding each); beyond that, double precision
// (docs/spec/integrity.md section 1.4). Nothing is allocated, and the time depends on sizes only.
namespace soter::freivalds {

inline constexpr int64_t kBlock = 16;   // channels side by side, in memory and in a vector
inline constexpr int64_t kChain = 64;   // float32 terms summed before they go to double precision, or those of one block
inline constexpr int kMaxProbes = 3;

// Cell is one position of a tile: where it lies, and which weights belong to it.
struct Cell {
  int64_t offset;  // in floats, from the tile's origin
  int64_t index;
};

// Cells of a tile; the first `squares` of them also count in the tile's weighted sum of squares.
struct Cells {
  const Cell* list;
  int64_t count, squares;
};

// TileWeights of one operand: probes [block][cell][probe][16], squares [block][cell][16] or null for ones.
struct TileWeights {
  const float* probes;
  const float* squares;
  int64_t cells;  // in the weights, whichever of them a call uses
};

// Tiles names `count` tiles, `step` floats apart, whose channels lie in `blocks` of 16, block_stride floats apart.
struct Tiles {
  const float* base;
  int64_t origin, step, count;
  int64_t blocks, block_stride;
};

// Run is what Dots does for tiles that are alike: sums [tiles.count][probes + 1] gets for every tile the dot product with
// each of the probes and then its weighted sum of squares.
struct Run {
  Tiles tiles;
  Cells cells;
  TileWeights weights;
  double* sums;
};

// Dots does `count` runs over the same blocks, all of them for some blocks before the next blocks: these weights then
// stay in the first-level cache.
void Dots(const Run* runs, int64_t count, int64_t probes);

// AddRows adds to sums[j][i], for each of `columns` j and i < width, the sum over rows r of
// factors[j * factor_stride + r] * w[r * row_stride + i], and to squares[i] that of w[..]^2.
// sums has rows of `sum_stride` doubles.
void AddRows(const float* w, int64_t rows, int64_t row_stride, int64_t width, const float* factors,
             int64_t factor_stride, int64_t columns, double* sums, int64_t sum_stride, double* squares);

}  // namespace soter::freivalds
