#pragma once

#include <cstdint>

// Dot products in double precision over the channels of float tensors, many columns of weights at once: the inner
// loops of Freivalds' check. All of them read each value once, allocate nothing and take a time that depends on
// sizes only.
namespace soter::freivalds {

// Positions handled together: one cache line of doubles in each column's plane.
inline constexpr int64_t kTile = 8;
// Columns that one pass over the channels computes for a tile: as many accumulators as the registers hold.
inline constexpr int64_t kGroup = 16;
// Columns beyond the last full group of kTile that are cheaper one by one.
inline constexpr int64_t kMaxSingles = 3;

// Positions refers to a run of positions whose channels lie in blocks: [blocks][.., position_stride][block].
// Channels last is one block of all channels; nChw16c has blocks of 16.
struct Positions {
  const float* base;        // channel 0 of the first position
  int64_t count;            // positions
  int64_t position_stride;  // floats from one position to the next
  int64_t block, blocks;    // channels in a block, and blocks
  int64_t block_stride;     // floats from one block to the next
};

// Planes receive one double per column and position: column j of position i goes to base[j * stride + i].
struct Planes {
  double* base;
  int64_t stride;
};

// Singles computes for every position the dot products with `count` <= kMaxSingles columns of weights [count][c], and
// then, as one more column, the sum of squares[i] x_i^2.
void Singles(const Positions& x, const double* weights, int64_t count, const double* squares, Planes out);

// Groups computes the dot products with `columns`, a multiple of kTile, whose weights lie as
// [columns / kGroup][c][kGroup], a last half group as [c][kTile]. x.count <= kTile.
// scratch: kTile * c doubles.
void Groups(const Positions& x, const double* weights, int64_t columns, double* scratch, Planes out);

// PlanarSingles and PlanarGroups do the same for channels that lie in planes of their own: channel i of position p is
// base[i * plane + p].
struct PlanarPositions {
  const float* base;
  int64_t count, channels, plane;
};
void PlanarSingles(const PlanarPositions& x, const double* weights, int64_t count, const double* squares, Planes out);
void PlanarGroups(const PlanarPositions& x, const double* weights, int64_t columns, Planes out);

// AddRows adds to sums[j][i], for each of `columns` j and i < width, the sum over rows r of
// factors[j * factor_stride + r] * w[r * row_stride + i], and to squares[i] that of w[..]^2.
// sums has rows of `sum_stride` doubles.
void AddRows(const float* w, int64_t rows, int64_t row_stride, int64_t width, const double* factors,
             int64_t factor_stride, int64_t columns, double* sums, int64_t sum_stride, double* squares);

}  // namespace soter::freivalds
