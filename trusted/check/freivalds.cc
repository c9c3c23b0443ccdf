#include "trusted/check/freivalds.h"

#include <omp.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "trusted/check/check_access.h"
#include "trusted/check/freivalds_kernels.h"

namespace soter {

using freivalds::kTile;
using freivalds::Planes;

namespace {

constexpr int64_t kRun = 2 * kTile;           // positions that a thread takes at a time: their channels stay in cache
constexpr int64_t kParallelWork = 1 << 16;    // values below which a second thread costs more than it saves

int64_t RoundUp(int64_t count) { return (count + kTile - 1) / kTile * kTile; }

// The positions of one image from `first` on, whose channels lie together or in blocks.
freivalds::Positions Together(const float* image, Layout layout, int64_t channels, int64_t positions, int64_t first,
                              int64_t count) {
  if (layout != Layout::kNChw16c) return {image + first * channels, count, channels, channels, 1, 0};
  return {image + first * 16, count, 16, 16, channels / 16, positions * 16};
}

// Largest of the values up to `reach` places away, along an axis whose steps are `step` apart.
void MaxAlong(const double* from, int64_t extent, int64_t step, int64_t at, int64_t reach, int64_t count, double* to) {
  std::copy(from, from + count, to);
  for (int64_t other = std::max<int64_t>(0, at - reach); other <= std::min(extent - 1, at + reach); ++other) {
    const double* neighbour = from + (other - at) * step;
    for (int64_t i = 0; i < count; ++i) to[i] = std::max(to[i], neighbour[i]);
  }
}

}  // namespace

Status FreivaldsScratch::Reserve(size_t doubles) {
  if (buffer_.size() < doubles * sizeof(double)) buffer_ = TRY(TryBuffer(doubles * sizeof(double)));
  return {};
}

// Memory of a check: planes over input positions (columns, then the weighted squares), planes over output positions
// (a residual per probe, the squared scale, a spare one), and for every thread one tile in double precision.
size_t Freivalds::scratch_doubles() const {
  int64_t tiles = threads_ * kTile * geometry_.in_channels;
  return static_cast<size_t>(InputPlanes() * RoundUp(geometry_.in_positions()) +
                             (probes_ + 2) * RoundUp(geometry_.out_positions()) + tiles);
}

void Freivalds::DotInputs(const float* x, double* dots, double* tiles) const {
  const int64_t positions = geometry_.in_positions(), channels = geometry_.in_channels, plane = RoundUp(positions);
  const int64_t singles = InputPlanes() - 1 - group_columns_;
  double* tile = tiles + omp_get_thread_num() * kTile * channels;
#pragma omp for schedule(static) nowait
  for (int64_t first = 0; first < positions; first += kRun) {
    int64_t count = std::min(kRun, positions - first);
    Planes groups{dots + first, plane}, rest{dots + group_columns_ * plane + first, plane};
    if (x_planar_) {
      freivalds::PlanarPositions run{x + first, count, channels, positions};
      freivalds::PlanarSingles(run, set().singles.data(), singles, input_squares_.data(), rest);
      freivalds::PlanarGroups(run, set().groups.data(), group_columns_, groups);
      continue;
    }
    freivalds::Singles(Together(x, x_layout_, channels, positions, first, count), set().singles.data(), singles,
                       input_squares_.data(), rest);
    for (int64_t p = 0; p < count; p += kTile)
      freivalds::Groups(Together(x, x_layout_, channels, positions, first + p, std::min(kTile, count - p)),
                        set().groups.data(), group_columns_, tile, {groups.base + p, plane});
  }
}

void Freivalds::DotOutputs(const float* y, double* rows) const {
  const int64_t positions = geometry_.out_positions(), channels = geometry_.out_channels, plane = RoundUp(positions);
#pragma omp for schedule(static)
  for (int64_t first = 0; first < positions; first += kRun) {
    int64_t count = std::min(kRun, positions - first);
    if (y_planar_)
      freivalds::PlanarSingles({y + first, count, channels, positions}, set().s.data(), probes_,
                               output_squares_.data(), {rows + first, plane});
    else
      freivalds::Singles(Together(y, y_layout_, channels, positions, first, count), set().s.data(), probes_,
                         output_squares_.data(), {rows + first, plane});
  }
}

// Takes from one row of output positions what the inputs say that it must be, tap by tap.
void Freivalds::SubtractRow(const double* dots, int64_t row, double* rows) const {
  const auto& [depth, height, width] = geometry_.axes;
  const int64_t in_plane = RoundUp(geometry_.in_positions()), out_plane = RoundUp(geometry_.out_positions());
  const double* squares = dots + (InputPlanes() - 1) * in_plane;
  int64_t tap = 0;
  for (int64_t kd = 0; kd < depth.kernel; ++kd)
    for (int64_t kh = 0; kh < height.kernel; ++kh) {
      int64_t d = InputOf(depth, geometry_.transposed, kd, row / height.out);
      int64_t h = InputOf(height, geometry_.transposed, kh, row % height.out);
      for (int64_t kw = 0; kw < width.kernel; ++kw, ++tap) {
        if (d < 0 || h < 0) continue;
        const Overlap& pairs = overlaps_[static_cast<size_t>(kw)];
        int64_t in = (d * height.in + h) * width.in + pairs.in, out = row * width.out + pairs.out;
        for (int64_t p = 0; p < probes_; ++p) {
          const double* from = dots + (tap * probes_ + p) * in_plane + in;
          double* to = rows + p * out_plane + out;
          for (int64_t i = 0; i < pairs.count; ++i) to[i * pairs.out_step] -= from[i * pairs.in_step];
        }
        double weight = tap_weights_[static_cast<size_t>(tap)];
        double* scale = rows + probes_ * out_plane + out;
        for (int64_t i = 0; i < pairs.count; ++i) scale[i * pairs.out_step] += weight * squares[in + i * pairs.in_step];
      }
    }
}

// Winograd's algorithm mixes all values of a tile, so each output may carry the rounding errors of its neighbours.
void Freivalds::SpreadScale(double* scale, double* spare) const {
  const auto& [depth, height, width] = geometry_.axes;
  constexpr int64_t kReach = kWinogradTile - 1;
#pragma omp for schedule(static)
  for (int64_t row = 0; row < depth.out * height.out; ++row)
    MaxAlong(scale + row * width.out, height.out, width.out, row % height.out, kReach, width.out,
             spare + row * width.out);
#pragma omp for schedule(static)
  for (int64_t row = 0; row < depth.out * height.out; ++row)
    for (int64_t w = 0; w < width.out; ++w)
      MaxAlong(spare + row * width.out + w, width.out, 1, w, kReach, 1, scale + row * width.out + w);
}

void Freivalds::CheckImage(const float* x, const float* y, double* scratch, bool& right, double& largest) const {
  const int64_t in_plane = RoundUp(geometry_.in_positions()), out_plane = RoundUp(geometry_.out_positions());
  double* rows = scratch + InputPlanes() * in_plane;
  double* scale = rows + probes_ * out_plane;
  double* tiles = scale + 2 * out_plane;
  const int64_t row_count = geometry_.axes[0].out * geometry_.axes[1].out;
  const int64_t work = geometry_.in_positions() * geometry_.in_channels + geometry_.out_positions() * geometry_.out_channels;
#pragma omp parallel num_threads(threads_) if (work > kParallelWork)
  {
    DotInputs(x, scratch, tiles);
    DotOutputs(y, rows);
#pragma omp for schedule(static)
    for (int64_t row = 0; row < row_count; ++row) SubtractRow(scratch, row, rows);
    if (model_.spreads && geometry_.taps() > 1) SpreadScale(scale, scale + out_plane);
#pragma omp for schedule(static) reduction(&& : right) reduction(max : largest)
    for (int64_t o = 0; o < geometry_.out_positions(); ++o) {
      double tau = relative_ * std::sqrt(scale[o] + bias_square_) + absolute_;
      scale[o] = tau;
      for (int64_t p = 0; p < probes_; ++p) {
        double rho = std::abs(rows[p * out_plane + o] - set().offsets[static_cast<size_t>(p)]);
        bool within = (rho <= tau) & (tau <= DBL_MAX);  // false for NaN, and for an infinite tolerance
        right = right & within;
        largest = std::max(largest, rho / tau);
      }
    }
  }
}

Result<Verified<PrivateTensor>> Freivalds::Check(std::span<const float> x, Claim claim, FreivaldsScratch& scratch) {
  const PrivateTensor& answer = CheckAccess::Look(claim);
  const int64_t x_image = geometry_.in_positions() * geometry_.in_channels;
  const int64_t y_image = geometry_.out_positions() * geometry_.out_channels;
  if (answer.type != y_type_ || answer.layout != y_layout_ ||
      answer.bytes.size() != static_cast<size_t>(geometry_.images * y_image) * sizeof(float))
    return Malformed("a result has another shape than was asked for");
  CHECK(static_cast<int64_t>(x.size()) == geometry_.images * x_image, "x is not the operator's input");
  const float* y = reinterpret_cast<const float*>(answer.bytes.data());
  bool right = true;
  largest_ratio_ = 0;
  for (int64_t n = 0; n < geometry_.images; ++n)
    CheckImage(x.data() + n * x_image, y + n * y_image, scratch.data(), right, largest_ratio_);
  if (!right) return IntegrityError(kWrongResult);
  return CheckAccess::Accept(std::move(claim));
}

void Freivalds::Redraw() {
  CHECK(current_ + 1 < sets_.size(), "a worker that failed this often has to be given up");
  ++current_;
}

std::span<const double> Freivalds::tolerances(FreivaldsScratch& scratch) const {
  const double* rows = scratch.data() + InputPlanes() * RoundUp(geometry_.in_positions());
  return {rows + probes_ * RoundUp(geometry_.out_positions()), static_cast<size_t>(geometry_.out_positions())};
}

}  // namespace soter
