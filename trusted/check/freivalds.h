#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "trusted/check/freivalds_kernels.h"
#include "trusted/check/freivalds_scratch.h"
#include "trusted/check/rounding.h"
#include "trusted/check/tiling.h"
#include "trusted/check/verdict.h"
#include "trusted/claim/claim.h"
#include "trusted/mask/random_source.h"
#include "trusted/mask/transfer.h"

namespace soter {

inline constexpr int kFreivaldsProbes = 2;

// LinearOperator is y = F(x) + b, one Conv, ConvTranspose or Linear without activation, and how x and y lie.
struct LinearOperator {
  const Node& node;
  TensorType x_type, y_type;
  Layout x_layout, y_layout;
  const Tensor& weight;
  const Tensor* bias;  // or null
};

// Freivalds checks the result of one linear operator: for secret Gaussian vectors s and each column y of the result it
// compares s.(y - b) with (W^T s).x. A column is one tile of output positions (trusted/check/tiling.h), W the operator
// that makes it. A column that is wrong by a vector of length d passes with probability at most (0.8 tau / d)^probes,
// where tau, the tolerance of that column, covers the rounding errors of an honest accelerator
// (docs/spec/integrity.md section 1; Freivalds 1977).
// The work is cut into bands, which any thread may do in any order: the dots of y's bands as y comes in, those of x's
// bands as x is made, then Decide. Check does all of it.  Cost: FreivaldsMulAdds; no allocation.
// Leaks: time depends on the shapes only; there is no early exit.
class Freivalds {
 public:
  // Draws kMaxCheckFailures independent sets of probes, and reads the weight once. A blocked layout must have no
  // padding, which no check would cover.
  // Required: 1 to 3 probes.
  static Freivalds Create(const LinearOperator& op, RoundingFamily family, int threads, RandomSource& random,
                          int probes = kFreivaldsProbes);

  // Check decides whether `claim` is F(x) + b, for x in the enclave's own memory. `scratch` holds scratch_bytes().
  // Errors: kIntegrity (it is not; NaN and infinity never are), kMalformed (type or layout).
  Result<Verified<PrivateTensor>> Check(std::span<const float> x, Claim claim, FreivaldsScratch& scratch);

  // A band is some rows of tiles of one image, or a part of one row.
  struct Band {
    int64_t image, depth, height, rows, first, last;  // tiles: [height, height + rows), [first, last) in each of them
  };
  int64_t bands() const { return bands_; }
  Band BandAt(int64_t index) const;
  const Tiling& tiling() const { return tiling_; }
  const ProbeGeometry& geometry() const { return geometry_; }
  int threads() const { return threads_; }

  // OutputPart is where band `band` of y lies: its rows in slice `slice` of the outermost axis, of slices(band).
  TensorPart OutputPart(int64_t band, int64_t slice) const;
  int64_t slices(int64_t band) const { return tiling_.axes[0].LengthOf(BandAt(band).depth); }
  // Rows of a convolution over two axes, counted over all images: [first, last).
  struct RowRange {
    int64_t first, last;
  };
  RowRange OutputRows(int64_t band) const;
  RowRange InputRows(int64_t band) const;
  int64_t rows_per_band() const { return band_rows_ * tiling_.axes[1].length; }  // of y; the last band may have fewer
  // Whether bands are whole rows of images, so that OutputRows and InputRows say what they are made of.
  bool HasRowBands() const { return geometry_.axes[0].in == 1 && geometry_.axes[0].out == 1 && chunk_ >= tiling_.axes[2].count; }

  // DotOutputs and DotInputs do the work of one band; x and y are whole tensors of which that band's values are there.
  // `thread` is below threads(), and no two use one at the same time.
  void DotOutputs(const float* y, int64_t band, int thread, FreivaldsScratch& scratch) const;
  void DotInputs(const float* x, int64_t band, int thread, FreivaldsScratch& scratch) const;
  // Decide compares, once all bands are done. Errors: those of Check.
  Result<Verified<PrivateTensor>> Decide(Claim claim, FreivaldsScratch& scratch);

  // Redraw goes on with probes that were never used. Aborts when a worker was not given up in time.
  void Redraw();

  size_t scratch_bytes() const;

  // The largest |rho| / tau of the last check, for measurements: secret, since it tells about the probes.
  double largest_ratio() const { return largest_ratio_; }
  // The tolerance of each column in the last check, for measurements.
  std::span<const double> tolerances(FreivaldsScratch& scratch) const;

 private:
  // How one operand lies and which of its positions a tile touches.
  struct Side {
    bool inputs = false, direct = false;  // direct: its channels lie in blocks of 16, nothing needs packing
    bool single = false;  // each tile touches one position, which no other tile does, in the same order
    Layout layout = Layout::kDense;
    bool channels_last = false;
    int64_t channels = 0, blocks = 0, image_floats = 0;
    std::array<int64_t, 3> extents{}, lowest{}, reach{};
  };
  // Rows of one operand from which tiles are read.
  struct Rows {
    const float* base;
    std::array<int64_t, 3> strides, from;  // in floats; the position at base
    int64_t block_stride;
  };
  struct KindCells {
    std::vector<TileCell> inputs, outputs;
    int64_t input_squares = 0;
    Buffer squares;  // [block][input][16]
    double bias_square = 0;
  };
  struct KindProbes {
    Buffer inputs, outputs;       // [block][cell][probe][16]: W^T s, and s
    std::vector<double> offsets;  // s.b per probe
  };
  using ProbeSet = std::array<KindProbes, Tiling::kKinds>;
  struct Memory;
  class Builder;

  Freivalds() = default;
  Memory Divide(FreivaldsScratch& scratch) const;
  int64_t Origin(const Side& side, size_t axis, int64_t tile) const;
  bool Inside(const Side& side, size_t axis, int64_t tile) const;
  void DotBand(const Side& side, const float* tensor, int64_t band, double* sums, const Memory& memory, int thread) const;
  Rows DirectRows(const Side& side, const float* image) const;
  Rows PackRows(const Side& side, const float* image, const Band& band, float* packed) const;
  freivalds::Run RunAt(const Side& side, const Rows& rows, const std::array<int64_t, 3>& first_tile, int64_t count, bool inside,
                       double* sums, freivalds::Cell* cells) const;
  freivalds::Cells PickCells(const Side& side, int kind, const std::array<int64_t, 3>& origin, bool inside, const Rows& rows,
                             freivalds::Cell* list) const;
  void SpreadSquares(const Memory& memory) const;
  double ScaleSquare(const Memory& memory, int64_t row, int64_t width) const;
  double DecideRow(const Memory& memory, int64_t row) const;
  int64_t tiles() const { return geometry_.images * tiling_.per_image(); }
  int64_t sums() const { return probes_ + 1; }
  int64_t BandReach(const Side& side, int64_t rows) const;
  int64_t PackedFloats(const Side& side) const;
  bool Spreads() const { return model_.spreads && geometry_.taps() > 1; }
  int64_t TilesPerSpread(size_t axis) const { return std::max<int64_t>(1, kWinogradTile / tiling_.axes[axis].length); }
  size_t MaxCells() const;
  size_t SumBytes() const;
  size_t ThreadBytes() const;
  const ProbeSet& set() const { return sets_[current_]; }

  ProbeGeometry geometry_;
  Tiling tiling_;
  RoundingModel model_{};
  TensorType y_type_;
  Layout y_layout_ = Layout::kDense;
  Side x_side_, y_side_;
  int64_t probes_ = 0, bands_ = 0, chunk_ = 1, band_rows_ = 1;
  int threads_ = 1;
  std::array<KindCells, Tiling::kKinds> kinds_;
  double relative_ = 0, absolute_ = 0;  // tau = relative sqrt(scale^2) + absolute
  std::vector<ProbeSet> sets_;
  size_t current_ = 0;
  double largest_ratio_ = 0;
};

}  // namespace soter
