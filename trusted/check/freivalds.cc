#include "trusted/check/freivalds.h"

#include <omp.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "trusted/check/check_access.h"
#include "trusted/check/freivalds_kernels.h"

namespace soter {

using freivalds::Cell;
using freivalds::kBlock;

namespace {

constexpr size_t kLine = 64;               // a cache line, and a vector
constexpr int64_t kParallelWork = 1 << 16;  // values below which a second thread costs more than it saves

size_t RoundUp(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

const float* Floats(const Buffer& buffer) { return reinterpret_cast<const float*>(buffer.bytes().data()); }

}  // namespace

// How the scratch memory of a check is divided.
struct Freivalds::Memory {
  double *inputs, *outputs;  // sums of every tile, [tiles][probes + 1]
  double* tolerances;        // [tiles]
  std::byte* threads;        // for each thread its cells, then its packed rows
  size_t cell_bytes, thread_bytes;

  Cell* cells(int thread) const { return reinterpret_cast<Cell*>(threads + static_cast<size_t>(thread) * thread_bytes); }
  float* packed(int thread) const {
    return reinterpret_cast<float*>(threads + static_cast<size_t>(thread) * thread_bytes + cell_bytes);
  }
};

size_t Freivalds::SumBytes() const { return RoundUp(static_cast<size_t>(tiles() * sums()) * sizeof(double)); }
size_t Freivalds::ThreadBytes() const {
  auto packed = static_cast<size_t>(std::max(PackedFloats(x_side_), PackedFloats(y_side_)));
  return RoundUp(MaxCells() * sizeof(Cell)) + RoundUp(packed * sizeof(float));
}

size_t Freivalds::scratch_bytes() const {
  return 2 * SumBytes() + RoundUp(static_cast<size_t>(tiles()) * sizeof(double)) +
         static_cast<size_t>(threads_) * ThreadBytes();
}

Freivalds::Memory Freivalds::Divide(FreivaldsScratch& scratch) const {
  std::byte *inputs = scratch.data(), *outputs = inputs + SumBytes(), *tolerances = outputs + SumBytes();
  return {reinterpret_cast<double*>(inputs), reinterpret_cast<double*>(outputs), reinterpret_cast<double*>(tolerances),
          tolerances + RoundUp(static_cast<size_t>(tiles()) * sizeof(double)), RoundUp(MaxCells() * sizeof(Cell)),
          ThreadBytes()};
}

size_t Freivalds::MaxCells() const {
  size_t largest = 0;
  for (const KindCells& kind : kinds_) largest = std::max({largest, kind.inputs.size(), kind.outputs.size()});
  return largest;
}

int64_t Freivalds::PackedFloats(const Side& side) const {
  if (side.direct) return 0;
  int64_t step = Origin(side, 2, 1) - Origin(side, 2, 0);
  int64_t width = std::min(side.extents[2], (chunk_ - 1) * step + side.reach[2]);
  return side.reach[0] * side.reach[1] * width * side.blocks * kBlock;
}

Freivalds::Band Freivalds::BandAt(int64_t index) const {
  const int64_t width = tiling_.axes[2].count, chunks = (width + chunk_ - 1) / chunk_;
  int64_t chunk = index % chunks, row = index / chunks;
  int64_t height = row % tiling_.axes[1].count, depth = row / tiling_.axes[1].count % tiling_.axes[0].count;
  int64_t image = row / (tiling_.axes[1].count * tiling_.axes[0].count);
  return {image, depth, height, chunk * chunk_, std::min(width, (chunk + 1) * chunk_)};
}

TensorPart Freivalds::OutputPart(int64_t index, int64_t slice) const {
  const auto& [depth, height, width] = tiling_.axes;
  const Band band = BandAt(index);
  const int64_t plane = y_side_.extents[0] * y_side_.extents[1] * y_side_.extents[2];
  const int64_t begin = width.Begin(band.first), end = std::min(width.axis.out, width.Begin(band.last));
  const int64_t row = (depth.Begin(band.depth) + slice) * y_side_.extents[1] + height.Begin(band.height);
  const int64_t first = row * y_side_.extents[2] + begin;
  const int64_t positions = (height.LengthOf(band.height) - 1) * y_side_.extents[2] + end - begin;  // one run, see SetBands
  const int64_t image = band.image * y_side_.image_floats;
  auto part = [](int64_t offset, int64_t length, int64_t stride, int64_t count) -> TensorPart {
    return {static_cast<size_t>(offset), static_cast<size_t>(length), static_cast<size_t>(stride), static_cast<size_t>(count)};
  };
  if (y_side_.layout == Layout::kNChw16c) return part(image + first * kBlock, positions * kBlock, plane * kBlock, y_side_.blocks);
  if (y_side_.channels_last) return part(image + first * y_side_.channels, positions * y_side_.channels, 0, 1);
  return part(image + first, positions, plane, y_side_.channels);
}

Freivalds::RowRange Freivalds::OutputRows(int64_t index) const {
  const Band band = BandAt(index);
  int64_t first = band.image * y_side_.extents[1] + tiling_.axes[1].Begin(band.height);
  return {first, first + tiling_.axes[1].LengthOf(band.height)};
}

Freivalds::RowRange Freivalds::InputRows(int64_t index) const {
  const Band band = BandAt(index);
  int64_t first = Origin(x_side_, 1, band.height) + x_side_.lowest[1], rows = x_side_.extents[1];
  int64_t image = band.image * rows;
  return {image + std::clamp<int64_t>(first, 0, rows), image + std::clamp<int64_t>(first + x_side_.reach[1], 0, rows)};
}

int64_t Freivalds::Origin(const Side& side, size_t axis, int64_t tile) const {
  return side.inputs ? tiling_.axes[axis].Base(tile) : tiling_.axes[axis].Begin(tile);
}

// Whether all that a full tile touches along `axis` exists.
bool Freivalds::Inside(const Side& side, size_t axis, int64_t tile) const {
  int64_t first = Origin(side, axis, tile) + side.lowest[axis];
  return first >= 0 && first + side.reach[axis] <= side.extents[axis] && !tiling_.axes[axis].IsShort(tile);
}

Freivalds::Rows Freivalds::DirectRows(const Side& side, const float* image) const {
  bool blocked = side.layout == Layout::kNChw16c;
  int64_t position = blocked ? kBlock : side.channels, row = side.extents[2] * position, plane = side.extents[1] * row;
  return {image, {plane, row, position}, {0, 0, 0}, blocked ? side.extents[0] * plane : kBlock};
}

// Copies what the tiles of a band touch to `packed`, channels last and padded to whole blocks.
Freivalds::Rows Freivalds::PackRows(const Side& side, const float* image, const Band& band, float* packed) const {
  const int64_t channels = side.channels, position = side.blocks * kBlock;
  std::array<int64_t, 3> from{Origin(side, 0, band.depth) + side.lowest[0], Origin(side, 1, band.height) + side.lowest[1],
                              std::max<int64_t>(0, Origin(side, 2, band.first) + side.lowest[2])};
  int64_t end = std::min(side.extents[2], Origin(side, 2, band.last - 1) + side.lowest[2] + side.reach[2]);
  int64_t row = (end - from[2]) * position, plane = side.extents[0] * side.extents[1] * side.extents[2];
  int64_t step = side.channels_last ? 1 : plane;
  for (int64_t d = 0; d < side.reach[0]; ++d)
    for (int64_t h = 0; h < side.reach[1]; ++h) {
      int64_t depth = from[0] + d, height = from[1] + h;
      if (depth < 0 || depth >= side.extents[0] || height < 0 || height >= side.extents[1]) continue;
      for (int64_t w = from[2]; w < end; ++w) {
        int64_t at = (depth * side.extents[1] + height) * side.extents[2] + w;
        const float* source = image + (side.channels_last ? at * channels : at);
        float* target = packed + (d * side.reach[1] + h) * row + (w - from[2]) * position;
        for (int64_t c = 0; c < channels; ++c) target[c] = source[c * step];
        std::fill(target + channels, target + position, 0.0f);
      }
    }
  return {packed, {side.reach[1] * row, row, position}, from, kBlock};
}

// Lists the cells of a tile whose positions exist; those that count in the sum of squares stay in front.
freivalds::Cells Freivalds::PickCells(const Side& side, int kind, const std::array<int64_t, 3>& origin, bool inside,
                                      const Rows& rows, Cell* list) const {
  const KindCells& cells = kinds_[static_cast<size_t>(kind)];
  const std::vector<TileCell>& all = side.inputs ? cells.inputs : cells.outputs;
  const int64_t all_squares = side.inputs ? cells.input_squares : static_cast<int64_t>(all.size());
  auto exists = [&](size_t axis, int64_t at) { return origin[axis] + at >= 0 && origin[axis] + at < side.extents[axis]; };
  freivalds::Cells picked{list, 0, 0};
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& [d, h, w] = all[i].at;
    if (!exists(0, d) || !exists(1, h) || !(inside || exists(2, w))) continue;
    list[picked.count++] = {d * rows.strides[0] + h * rows.strides[1] + w * rows.strides[2], static_cast<int64_t>(i)};
    picked.squares += static_cast<int64_t>(i) < all_squares;
  }
  return picked;
}

// Sums of one operand for the tiles of a band; tiles that are alike go to the kernels together.
void Freivalds::DotBand(const Side& side, const float* tensor, int64_t index, double* sums_of_all, const Memory& memory,
                        int thread) const {
  const Band band = BandAt(index);
  const float* image = tensor + band.image * side.image_floats;
  const Rows rows = side.direct ? DirectRows(side, image) : PackRows(side, image, band, memory.packed(thread));
  const int64_t row = (band.image * tiling_.axes[0].count + band.depth) * tiling_.axes[1].count + band.height;
  std::array<int64_t, 3> origin{Origin(side, 0, band.depth), Origin(side, 1, band.height), 0};
  for (int64_t w = band.first; w < band.last;) {
    const bool inside = Inside(side, 2, w);
    const int64_t begin = w++;
    while (inside && w < band.last && Inside(side, 2, w)) ++w;
    origin[2] = Origin(side, 2, begin);
    const int kind = tiling_.KindOf(band.depth, band.height, begin);
    const KindProbes& probes = set()[static_cast<size_t>(kind)];
    const KindCells& cells = kinds_[static_cast<size_t>(kind)];
    int64_t at = 0;
    for (size_t axis = 0; axis < 3; ++axis) at += (origin[axis] - rows.from[axis]) * rows.strides[axis];
    freivalds::Tiles tiles{rows.base, at, (Origin(side, 2, begin + 1) - origin[2]) * rows.strides[2], w - begin,
                           side.blocks, rows.block_stride};
    freivalds::TileWeights weights{Floats(side.inputs ? probes.inputs : probes.outputs),
                                   side.inputs ? Floats(cells.squares) : nullptr,
                                   static_cast<int64_t>(side.inputs ? cells.inputs.size() : cells.outputs.size())};
    double* sums_of_run = sums_of_all + (row * tiling_.axes[2].count + begin) * sums();
    freivalds::Dots(tiles, PickCells(side, kind, origin, inside, rows, memory.cells(thread)), weights, probes_, sums_of_run);
  }
}

void Freivalds::DotOutputs(const float* y, int64_t band, int thread, FreivaldsScratch& scratch) const {
  Memory memory = Divide(scratch);
  DotBand(y_side_, y, band, memory.outputs, memory, thread);
}

void Freivalds::DotInputs(const float* x, int64_t band, int thread, FreivaldsScratch& scratch) const {
  Memory memory = Divide(scratch);
  DotBand(x_side_, x, band, memory.inputs, memory, thread);
}

// Winograd's algorithm mixes all values of a tile of its own, so an output may carry rounding errors of its neighbours.
double Freivalds::ScaleSquare(const Memory& memory, int64_t tile) const {
  auto own = [&](int64_t t) { return memory.inputs[t * sums() + probes_] + memory.outputs[t * sums() + probes_]; };
  if (!model_.spreads || geometry_.taps() == 1) return own(tile);
  const int64_t width = tiling_.axes[2].count, height = tiling_.axes[1].count;
  const int64_t w = tile % width, h = tile / width % height;
  double largest = 0;
  bool known = true;  // max would lose a NaN
  for (int64_t dh = std::max<int64_t>(-1, -h); dh <= std::min<int64_t>(1, height - 1 - h); ++dh)
    for (int64_t dw = std::max<int64_t>(-1, -w); dw <= std::min<int64_t>(1, width - 1 - w); ++dw) {
      double square = own(tile + dh * width + dw);
      known &= square == square;
      largest = std::max(largest, square);
    }
  return known ? largest : NAN;
}

Result<Verified<PrivateTensor>> Freivalds::Decide(Claim claim, FreivaldsScratch& scratch) {
  const Memory memory = Divide(scratch);
  const int64_t count = tiles(), per_image = tiling_.per_image();
  bool right = true;
  double largest = 0;
#pragma omp parallel for num_threads(threads_) schedule(static) reduction(&& : right) reduction(max : largest) if (count > 4096)
  for (int64_t tile = 0; tile < count; ++tile) {
    int64_t w = tile % per_image % tiling_.axes[2].count, row = tile % per_image / tiling_.axes[2].count;
    auto kind = static_cast<size_t>(tiling_.KindOf(row / tiling_.axes[1].count, row % tiling_.axes[1].count, w));
    double tau = relative_ * std::sqrt(ScaleSquare(memory, tile) + kinds_[kind].bias_square) + absolute_;
    memory.tolerances[tile] = tau;
    for (int64_t p = 0; p < probes_; ++p) {
      double offset = set()[kind].offsets[static_cast<size_t>(p)];
      double rho = std::abs(memory.outputs[tile * sums() + p] - memory.inputs[tile * sums() + p] - offset);
      bool within = (rho <= tau) & (tau <= DBL_MAX);  // false for NaN, and for an infinite tolerance
      right = right & within;
      largest = std::max(largest, rho / tau);
    }
  }
  largest_ratio_ = largest;
  if (!right) return IntegrityError(kWrongResult);
  return CheckAccess::Accept(std::move(claim));
}

Result<Verified<PrivateTensor>> Freivalds::Check(std::span<const float> x, Claim claim, FreivaldsScratch& scratch) {
  const PrivateTensor& answer = CheckAccess::Look(claim);
  if (answer.type != y_type_ || answer.layout != y_layout_ ||
      answer.bytes.size() != static_cast<size_t>(geometry_.images * y_side_.image_floats) * sizeof(float))
    return Malformed("a result has another shape than was asked for");
  CHECK(static_cast<int64_t>(x.size()) == geometry_.images * x_side_.image_floats, "x is not the operator's input");
  const float* y = reinterpret_cast<const float*>(answer.bytes.data());
  const int64_t work = geometry_.images * (x_side_.image_floats + y_side_.image_floats);
#pragma omp parallel num_threads(threads_) if (work > kParallelWork)
  {
#pragma omp for schedule(static) nowait
    for (int64_t band = 0; band < bands_; ++band) DotInputs(x.data(), band, omp_get_thread_num(), scratch);
#pragma omp for schedule(static)
    for (int64_t band = 0; band < bands_; ++band) DotOutputs(y, band, omp_get_thread_num(), scratch);
  }
  return Decide(std::move(claim), scratch);
}

void Freivalds::Redraw() {
  CHECK(current_ + 1 < sets_.size(), "a worker that failed this often has to be given up");
  ++current_;
}

std::span<const double> Freivalds::tolerances(FreivaldsScratch& scratch) const {
  return {Divide(scratch).tolerances, static_cast<size_t>(tiles())};
}

}  // namespace soter
