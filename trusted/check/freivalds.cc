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
constexpr int64_t kParallelWork = 1 << 14;  // values below which a second thread costs more than it saves

constexpr int64_t kParallelTiles = 1024;
constexpr int64_t kRuns = 16;               // of tiles that go to the kernels together

size_t RoundUp(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

const float* Floats(const Buffer& buffer) { return reinterpret_cast<const float*>(buffer.bytes().data()); }

}  // namespace

// How the scratch memory of a check is divided.
struct Freivalds::Memory {
  double *inputs, *outputs;  // sums of every tile, [tiles][probes + 1]
  double* tolerances;        // [tiles]
  double* spread;            // [tiles], fewer are used: the largest square of each neighbourhood
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
  return RoundUp(kRuns * MaxCells() * sizeof(Cell)) + RoundUp(packed * sizeof(float));
}

size_t Freivalds::scratch_bytes() const {
  return 2 * SumBytes() + 2 * RoundUp(static_cast<size_t>(tiles()) * sizeof(double)) +
         static_cast<size_t>(threads_) * ThreadBytes();
}

Freivalds::Memory Freivalds::Divide(FreivaldsScratch& scratch) const {
  const size_t of_tiles = RoundUp(static_cast<size_t>(tiles()) * sizeof(double));
  std::byte *inputs = scratch.data(), *outputs = inputs + SumBytes(), *tolerances = outputs + SumBytes();
  std::byte* spread = tolerances + of_tiles;
  return {reinterpret_cast<double*>(inputs), reinterpret_cast<double*>(outputs), reinterpret_cast<double*>(tolerances),
          reinterpret_cast<double*>(spread), spread + of_tiles, RoundUp(kRuns * MaxCells() * sizeof(Cell)), ThreadBytes()};
}

size_t Freivalds::MaxCells() const {
  size_t largest = 0;
  for (const KindCells& kind : kinds_) largest = std::max({largest, kind.inputs.size(), kind.outputs.size()});
  return largest;
}

// Rows of one operand that `rows` rows of tiles touch.
int64_t Freivalds::BandReach(const Side& side, int64_t rows) const {
  return (rows - 1) * (Origin(side, 1, 1) - Origin(side, 1, 0)) + side.reach[1];
}

int64_t Freivalds::PackedFloats(const Side& side) const {
  if (side.direct) return 0;
  int64_t step = Origin(side, 2, 1) - Origin(side, 2, 0);
  int64_t width = std::min(side.extents[2], (chunk_ - 1) * step + side.reach[2]);
  return side.reach[0] * BandReach(side, band_rows_) * width * side.blocks * kBlock;
}

Freivalds::Band Freivalds::BandAt(int64_t index) const {
  const int64_t width = tiling_.axes[2].count, chunks = (width + chunk_ - 1) / chunk_;
  const int64_t heights = tiling_.axes[1].count, row_bands = (heights + band_rows_ - 1) / band_rows_;
  int64_t chunk = index % chunks, row = index / chunks;
  int64_t height = row % row_bands * band_rows_, depth = row / row_bands % tiling_.axes[0].count;
  int64_t image = row / (row_bands * tiling_.axes[0].count);
  return {image, depth, height, std::min(band_rows_, heights - height), chunk * chunk_, std::min(width, (chunk + 1) * chunk_)};
}

TensorPart Freivalds::OutputPart(int64_t index, int64_t slice) const {
  const auto& [depth, height, width] = tiling_.axes;
  const Band band = BandAt(index);
  const int64_t plane = y_side_.extents[0] * y_side_.extents[1] * y_side_.extents[2];
  const int64_t begin = width.Begin(band.first), end = std::min(width.axis.out, width.Begin(band.last));
  const int64_t row = (depth.Begin(band.depth) + slice) * y_side_.extents[1] + height.Begin(band.height);
  const int64_t first = row * y_side_.extents[2] + begin;
  const int64_t last_row = std::min(height.axis.out, height.Begin(band.height + band.rows)) - 1 - height.Begin(band.height);
  const int64_t positions = last_row * y_side_.extents[2] + end - begin;  // one run, see SetBands
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
  const AxisTiling& height = tiling_.axes[1];
  int64_t image = band.image * y_side_.extents[1];
  return {image + height.Begin(band.height), image + std::min(height.axis.out, height.Begin(band.height + band.rows))};
}

Freivalds::RowRange Freivalds::InputRows(int64_t index) const {
  const Band band = BandAt(index);
  int64_t first = Origin(x_side_, 1, band.height) + x_side_.lowest[1], rows = x_side_.extents[1];
  int64_t image = band.image * rows;
  int64_t last = first + BandReach(x_side_, band.rows);
  return {image + std::clamp<int64_t>(first, 0, rows), image + std::clamp<int64_t>(last, 0, rows)};
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
  const int64_t reach = BandReach(side, band.rows);
  int64_t row = (end - from[2]) * position, plane = side.extents[0] * side.extents[1] * side.extents[2];
  int64_t step = side.channels_last ? 1 : plane;
  for (int64_t d = 0; d < side.reach[0]; ++d)
    for (int64_t h = 0; h < reach; ++h) {
      int64_t depth = from[0] + d, height = from[1] + h;
      if (depth < 0 || depth >= side.extents[0] || height < 0 || height >= side.extents[1]) continue;
      for (int64_t w = from[2]; w < end; ++w) {
        int64_t at = (depth * side.extents[1] + height) * side.extents[2] + w;
        const float* source = image + (side.channels_last ? at * channels : at);
        float* target = packed + (d * reach + h) * row + (w - from[2]) * position;
        for (int64_t c = 0; c < channels; ++c) target[c] = source[c * step];
        std::fill(target + channels, target + position, 0.0f);
      }
    }
  return {packed, {reach * row, row, position}, from, kBlock};
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

// `count` tiles of one row that are alike, from `first` on.
freivalds::Run Freivalds::RunAt(const Side& side, const Rows& rows, const std::array<int64_t, 3>& first, int64_t count, bool inside,
                                double* sums_of_run, Cell* cells_of_tile) const {
  const auto kind = static_cast<size_t>(tiling_.KindOf(first[0], first[1], first[2]));
  std::array<int64_t, 3> origin;
  int64_t at = 0;
  for (size_t axis = 0; axis < 3; ++axis) {
    origin[axis] = Origin(side, axis, first[axis]);
    at += (origin[axis] - rows.from[axis]) * rows.strides[axis];
  }
  const KindProbes& probes = set()[kind];
  const KindCells& cells = kinds_[kind];
  freivalds::Tiles tiles{rows.base, at, (Origin(side, 2, first[2] + 1) - origin[2]) * rows.strides[2], count,
                         side.blocks, rows.block_stride};
  freivalds::TileWeights weights{Floats(side.inputs ? probes.inputs : probes.outputs),
                                 side.inputs ? Floats(cells.squares) : nullptr,
                                 static_cast<int64_t>(side.inputs ? cells.inputs.size() : cells.outputs.size())};
  return {tiles, PickCells(side, static_cast<int>(kind), origin, inside, rows, cells_of_tile), weights, sums_of_run};
}

// Sums of one operand for the tiles of a band; tiles that are alike are a run, and runs go to the kernels together.
void Freivalds::DotBand(const Side& side, const float* tensor, int64_t index, double* sums_of_all, const Memory& memory,
                        int thread) const {
  const Band band = BandAt(index);
  const float* image = tensor + band.image * side.image_floats;
  const Rows rows = side.direct ? DirectRows(side, image) : PackRows(side, image, band, memory.packed(thread));
  const int64_t width = tiling_.axes[2].count, most_cells = static_cast<int64_t>(MaxCells());
  const int64_t row = (band.image * tiling_.axes[0].count + band.depth) * tiling_.axes[1].count + band.height;
  std::array<freivalds::Run, kRuns> runs;
  int64_t count = 0;
  auto add = [&](int64_t h, int64_t first, int64_t length, bool inside) {
    double* sums_of_run = sums_of_all + ((row + h) * width + first) * sums();
    runs[static_cast<size_t>(count)] = RunAt(side, rows, {band.depth, band.height + h, first}, length, inside, sums_of_run,
                                             memory.cells(thread) + count * most_cells);
    if (++count == kRuns) freivalds::Dots(runs.data(), count, probes_), count = 0;
  };
  if (side.single) {
    add(0, band.first, (band.rows - 1) * width + band.last - band.first, true);
  } else {
    for (int64_t h = 0; h < band.rows; ++h)
      for (int64_t w = band.first; w < band.last;) {
        const bool inside = Inside(side, 2, w);
        const int64_t begin = w++;
        while (inside && w < band.last && Inside(side, 2, w)) ++w;
        add(h, begin, w - begin, inside);
      }
  }
  freivalds::Dots(runs.data(), count, probes_);
}

void Freivalds::DotOutputs(const float* y, int64_t band, int thread, FreivaldsScratch& scratch) const {
  Memory memory = Divide(scratch);
  DotBand(y_side_, y, band, memory.outputs, memory, thread);
}

void Freivalds::DotInputs(const float* x, int64_t band, int thread, FreivaldsScratch& scratch) const {
  Memory memory = Divide(scratch);
  DotBand(x_side_, x, band, memory.inputs, memory, thread);
}

namespace {

// The larger of two squares; max would lose a NaN.
double Larger(double a, double b) { return a != a || a > b ? a : b; }

}  // namespace

// Winograd's algorithm mixes all values of a tile of its own, so an output may carry rounding errors of its neighbours:
// the largest square of each neighbourhood of kWinogradTile positions along both axes goes to memory.spread.
void Freivalds::SpreadSquares(const Memory& memory) const {
  const int64_t height = tiling_.axes[1].count, width = tiling_.axes[2].count, down = TilesPerSpread(1), across = TilesPerSpread(2);
  const int64_t rows = (height + down - 1) / down, columns = (width + across - 1) / across;
  std::fill_n(memory.spread, tiles() / std::max<int64_t>(1, height * width) * rows * columns, 0.0);
  for (int64_t tile = 0; tile < tiles(); ++tile) {
    int64_t w = tile % width, h = tile / width % height, plane = tile / (width * height);
    double& square = memory.spread[(plane * rows + h / down) * columns + w / across];
    square = Larger(memory.inputs[tile * sums() + probes_] + memory.outputs[tile * sums() + probes_], square);
  }
}

double Freivalds::ScaleSquare(const Memory& memory, int64_t row, int64_t w) const {
  const int64_t height = tiling_.axes[1].count, width = tiling_.axes[2].count;
  if (!Spreads()) return memory.inputs[(row * width + w) * sums() + probes_] + memory.outputs[(row * width + w) * sums() + probes_];
  const int64_t down = TilesPerSpread(1), across = TilesPerSpread(2);
  const int64_t rows = (height + down - 1) / down, columns = (width + across - 1) / across;
  const int64_t x = w / across, y = row % height / down, plane = row / height * rows;
  double largest = 0;
  for (int64_t i = std::max<int64_t>(0, y - 1); i <= std::min(rows - 1, y + 1); ++i)
    for (int64_t j = std::max<int64_t>(0, x - 1); j <= std::min(columns - 1, x + 1); ++j)
      largest = Larger(memory.spread[(plane + i) * columns + j], largest);
  return largest;
}

// Compares one row of tiles; returns the largest |rho| / tau, NaN when one of them is no number.
double Freivalds::DecideRow(const Memory& memory, int64_t row) const {
  const auto& [depth, height, width] = tiling_.axes;
  double largest = 0;
  for (int64_t w = 0; w < width.count; ++w) {
    const auto kind = static_cast<size_t>(tiling_.KindOf(row / height.count % depth.count, row % height.count, w));
    const int64_t tile = row * width.count + w;
    const double tau = relative_ * std::sqrt(ScaleSquare(memory, row, w) + kinds_[kind].bias_square) + absolute_;
    memory.tolerances[tile] = tau;
    for (int64_t p = 0; p < probes_; ++p) {
      double offset = set()[kind].offsets[static_cast<size_t>(p)];
      double rho = std::abs(memory.outputs[tile * sums() + p] - memory.inputs[tile * sums() + p] - offset);
      largest = Larger(tau <= DBL_MAX ? rho / tau : NAN, largest);  // an infinite tolerance accepts nothing
    }
  }
  return largest;
}

Result<Verified<PrivateTensor>> Freivalds::Decide(Claim claim, FreivaldsScratch& scratch) {
  const Memory memory = Divide(scratch);
  const int64_t rows = geometry_.images * tiling_.axes[0].count * tiling_.axes[1].count;
  bool right = true;
  double largest = 0;
  if (Spreads()) SpreadSquares(memory);
#pragma omp parallel for num_threads(threads_) schedule(static) reduction(&& : right) reduction(max : largest) \
    if (tiles() > kParallelTiles)
  for (int64_t row = 0; row < rows; ++row) {
    const double ratio = DecideRow(memory, row);
    right = right & (ratio <= 1);  // false for NaN
    largest = std::max(largest, ratio);
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
