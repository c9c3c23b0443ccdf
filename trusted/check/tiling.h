#pragma once

#include <optional>
#include <vector>

#include "trusted/check/probe_geometry.h"

namespace soter {

// AxisTiling cuts the outputs along one axis into tiles of `length`, the last one maybe shorter. Every tile reads the
// same inputs relative to its base, so one set of combined weights serves all tiles of one length.
struct AxisTiling {
  SlidingAxis axis;
  bool transposed = false;
  int64_t length = 1, count = 1;

  int64_t Begin(int64_t tile) const { return tile * length; }
  int64_t LengthOf(int64_t tile) const { return std::min(length, axis.out - tile * length); }
  bool IsShort(int64_t tile) const { return LengthOf(tile) < length; }
  // The input that a tile's relative inputs are counted from; may lie outside.
  int64_t Base(int64_t tile) const { return transposed ? Begin(tile) / axis.stride : Begin(tile) * axis.stride - axis.pad; }
  // Which input, relative to Base, output `at` of a tile takes through `tap`; none in the gaps of a transposed one.
  std::optional<int64_t> Relative(int64_t at, int64_t tap) const;
};

// TileCell is one position that a tile reads or writes, relative to the tile's base or begin, along three axes.
struct TileCell {
  std::array<int64_t, 3> at;
  bool operator==(const TileCell&) const = default;
};

// Tiling cuts all output positions of a linear operator into tiles. The output of a tile is a linear function of the
// inputs that it reads: to Freivalds' check a tile is one column of a larger operator. An operator without a window
// (1x1, Linear) has tiles of one position; any other of 1, 2 or 4 along each spatial axis but the first of three, whatever
// is least work: a single position is checked most sharply, but its window overlaps most with its neighbours'.
struct Tiling {
  std::array<AxisTiling, 3> axes;

  static constexpr int kKinds = 8;  // which of the three axes are short: a bit each, the innermost lowest
  int64_t per_image() const { return axes[0].count * axes[1].count * axes[2].count; }
  int KindOf(int64_t d, int64_t h, int64_t w) const {
    return axes[0].IsShort(d) * 4 + axes[1].IsShort(h) * 2 + axes[2].IsShort(w);
  }
  bool Occurs(int kind) const;
  std::array<int64_t, 3> LengthsOf(int kind) const;
  // Extents of the inputs that a full tile reads, and the lowest relative input, per axis.
  std::array<int64_t, 3> InputExtents() const;
  std::array<int64_t, 3> LowestInputs() const;
};

inline constexpr std::array<int64_t, 3> kTileLengths = {1, 2, 4};

// TilingOf picks the shortest tiles whose check by `probes` probes is not much more work than that of any other.
Tiling TilingOf(const ProbeGeometry& geometry, int64_t probes);

}  // namespace soter
