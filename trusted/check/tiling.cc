#include "trusted/check/tiling.h"

#include <algorithm>
#include <limits>

namespace soter {
namespace {

// What a check's parts cost, in sixteen float32 products: weights come from memory, products are in registers.
constexpr double kCostOfWeight = 10, kCostOfTile = 40;
// More work than the least that shorter tiles are worth.
constexpr double kWorthMore = 1.1;

int64_t TileLength(const SlidingAxis& axis, bool transposed, bool outermost, int64_t wanted) {
  if (transposed) return axis.stride * (outermost ? 1 : std::max<int64_t>(1, wanted / axis.stride));
  return axis.kernel == 1 || outermost ? 1 : std::clamp<int64_t>(axis.out, 1, wanted);
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

namespace {

// What the tiles along one axis read: all of them together, and one of each kind.
struct AxisReads {
  double all = 0, weights = 0;
};

AxisReads ReadsOf(const AxisTiling& axis) {
  AxisReads reads;
  for (int64_t tile = 0; tile < axis.count; ++tile) {
    int64_t length = axis.LengthOf(tile);
    std::vector<int64_t> inputs;
    for (int64_t at = 0; at < length; ++at)
      for (int64_t tap = 0; tap < axis.axis.kernel; ++tap)
        if (std::optional<int64_t> in = axis.Relative(at, tap)) inputs.push_back(*in);
    std::sort(inputs.begin(), inputs.end());
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
    if (tile == 0 || axis.IsShort(tile)) reads.weights += static_cast<double>(inputs.size());
    for (int64_t in : inputs) reads.all += axis.Base(tile) + in >= 0 && axis.Base(tile) + in < axis.axis.in;
  }
  return reads;
}

double CostOf(const Tiling& tiling, const ProbeGeometry& geometry, int64_t probes) {
  constexpr double kVector = 16;
  double images = static_cast<double>(geometry.images), sums = static_cast<double>(probes + 1);
  double in = static_cast<double>(geometry.in_channels) / kVector, out = static_cast<double>(geometry.out_channels) / kVector;
  double reads = 1, read_weights = 1, written_weights = 1;
  for (const AxisTiling& axis : tiling.axes) {
    AxisReads along = ReadsOf(axis);
    reads *= along.all, read_weights *= along.weights;
    written_weights *= static_cast<double>(axis.length + (axis.count > 1 ? axis.LengthOf(axis.count - 1) % axis.length : 0));
  }
  return images * (in * reads * static_cast<double>(probes) + kCostOfTile * static_cast<double>(tiling.per_image())) +
         kCostOfWeight * sums * (in * read_weights + out * written_weights);
}

Tiling TilingWith(const ProbeGeometry& geometry, int64_t length) {
  Tiling tiling;
  for (size_t i = 0; i < 3; ++i) {
    AxisTiling& axis = tiling.axes[i];
    axis = {geometry.axes[i], geometry.transposed, TileLength(geometry.axes[i], geometry.transposed, i == 0, length), 1};
    axis.count = (axis.axis.out + axis.length - 1) / axis.length;
  }
  return tiling;
}

}  // namespace

Tiling TilingOf(const ProbeGeometry& geometry, int64_t probes) {
  std::array<double, kTileLengths.size()> costs;
  for (size_t i = 0; i < costs.size(); ++i) costs[i] = CostOf(TilingWith(geometry, kTileLengths[i]), geometry, probes);
  const double most = kWorthMore * *std::min_element(costs.begin(), costs.end());
  size_t chosen = 0;
  while (costs[chosen] > most) ++chosen;
  return TilingWith(geometry, kTileLengths[chosen]);
}

}  // namespace soter
