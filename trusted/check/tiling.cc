#include "trusted/check/tiling.h"

#include <algorithm>
#include <limits>

namespace soter {
namespace {

int64_t TileLength(const SlidingAxis& axis, bool transposed, bool outermost) {
  if (transposed) return axis.stride * (outermost ? 1 : std::max<int64_t>(1, kTileLength / axis.stride));
  return axis.kernel == 1 || outermost ? 1 : std::clamp<int64_t>(axis.out, 1, kTileLength);
}

struct Reads {
  int64_t low = std::numeric_limits<int64_t>::max(), high = std::numeric_limits<int64_t>::min();
};

Reads InputsOf(const AxisTiling& tiling) {
  Reads range;
  for (int64_t at = 0; at < tiling.length; ++at)
    for (int64_t tap = 0; tap < tiling.axis.kernel; ++tap)
      if (std::optional<int64_t> in = tiling.Relative(at, tap))
        range = {std::min(range.low, *in), std::max(range.high, *in)};
  return range.low > range.high ? Reads{0, 0} : range;
}

}  // namespace

std::optional<int64_t> AxisTiling::Relative(int64_t at, int64_t tap) const {
  if (!transposed) return at * axis.stride + tap * axis.dilation;
  int64_t distance = at + axis.pad - tap * axis.dilation;
  if (distance % axis.stride != 0) return std::nullopt;
  return distance / axis.stride;
}

bool Tiling::Occurs(int kind) const {
  for (size_t i = 0; i < 3; ++i) {
    bool is_short = (kind >> (2 - i)) & 1, last_is_short = axes[i].IsShort(axes[i].count - 1);
    if (is_short ? !last_is_short : (last_is_short && axes[i].count == 1)) return false;
  }
  return true;
}

std::array<int64_t, 3> Tiling::LengthsOf(int kind) const {
  std::array<int64_t, 3> lengths;
  for (size_t i = 0; i < 3; ++i)
    lengths[i] = (kind >> (2 - i)) & 1 ? axes[i].LengthOf(axes[i].count - 1) : axes[i].length;
  return lengths;
}

std::array<int64_t, 3> Tiling::InputExtents() const {
  std::array<int64_t, 3> extents;
  for (size_t i = 0; i < 3; ++i) {
    Reads range = InputsOf(axes[i]);
    extents[i] = range.high - range.low + 1;
  }
  return extents;
}

std::array<int64_t, 3> Tiling::LowestInputs() const {
  std::array<int64_t, 3> lowest;
  for (size_t i = 0; i < 3; ++i) lowest[i] = InputsOf(axes[i]).low;
  return lowest;
}

Tiling TilingOf(const ProbeGeometry& geometry) {
  Tiling tiling;
  for (size_t i = 0; i < 3; ++i) {
    AxisTiling& axis = tiling.axes[i];
    axis = {geometry.axes[i], geometry.transposed, TileLength(geometry.axes[i], geometry.transposed, i == 0), 1};
    axis.count = (axis.axis.out + axis.length - 1) / axis.length;
  }
  return tiling;
}

}  // namespace soter
