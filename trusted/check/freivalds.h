#pragma once

#include <algorithm>
#include <vector>

#include "trusted/check/probe_geometry.h"
#include "trusted/check/rounding.h"
#include "trusted/claim/claim.h"
#include "trusted/mask/random_source.h"

namespace soter {

inline constexpr int kFreivaldsProbes = 2;

// A session gives a worker up after this many failed checks, and each failure uses up one set of probes.
inline constexpr int kMaxCheckFailures = 3;

// What every failed check says, so that nobody learns which operator or element it was.
inline constexpr const char* kWrongResult = "a result of the accelerator failed its check";

// LinearOperator is y = F(x) + b, one Conv, ConvTranspose or Linear without activation, and how x and y lie.
struct LinearOperator {
  const Node& node;
  TensorType x_type, y_type;
  Layout x_layout, y_layout;
  const Tensor& weight;
  const Tensor* bias;  // or null
};

// FreivaldsScratch is memory that the checks of one session share, one after the other.
class FreivaldsScratch {
 public:
  // Reserve makes room for `doubles`. Errors: kExhausted.
  Status Reserve(size_t doubles);
  double* data() { return reinterpret_cast<double*>(buffer_.bytes().data()); }

 private:
  Buffer buffer_;
};

// Freivalds checks the result of one linear operator: for secret Gaussian vectors s and each column y of the result
// (one output position of one image) it compares s.(y - b) with (W^T s).x in double precision.
// A column that is wrong by a vector of length d passes with probability at most (0.8 tau / d)^probes, where tau, the
// tolerance of that column, covers the rounding errors of an honest accelerator (docs/spec/integrity.md section 1;
// Freivalds 1977).  Cost: FreivaldsMulAdds; no allocation.
// Leaks: time depends on the shapes only; there is no early exit.
class Freivalds {
 public:
  // Draws kMaxCheckFailures independent sets of probes, and reads the weight once. A blocked layout must have no
  // padding, which no check would cover.
  // Required: 1 to 3 probes.
  static Freivalds Create(const LinearOperator& op, RoundingFamily family, int threads, RandomSource& random,
                          int probes = kFreivaldsProbes);

  // Check decides whether `claim` is F(x) + b, for x in the enclave's own memory. `scratch` holds scratch_doubles().
  // Errors: kIntegrity (it is not; NaN and infinity never are), kMalformed (type or layout).
  Result<Verified<PrivateTensor>> Check(std::span<const float> x, Claim claim, FreivaldsScratch& scratch);

  // Redraw goes on with probes that were never used. Aborts when a worker was not given up in time.
  void Redraw();

  size_t scratch_doubles() const;

  // The largest |rho| / tau of the last check, for measurements: secret, since it tells about the probes.
  double largest_ratio() const { return largest_ratio_; }
  // The tolerance of each column in the last check, [out_positions] of the last image, for measurements.
  std::span<const double> tolerances(FreivaldsScratch& scratch) const;

 private:
  // One set of probes and the operator seen through it.
  struct ProbeSet {
    std::vector<double> s;        // [probes][out_channels]
    std::vector<double> groups;   // W^T s, columns (tap, probe), as freivalds::Groups wants them
    std::vector<double> singles;  // the remaining columns, [singles][in_channels]
    std::vector<double> offsets;  // s.b per probe
  };
  class Builder;

  Freivalds() = default;
  void CheckImage(const float* x, const float* y, double* scratch, bool& right, double& largest) const;
  void DotInputs(const float* x, double* dots, double* tiles) const;
  void DotOutputs(const float* y, double* rows) const;
  void SubtractRow(const double* dots, int64_t row, double* rows) const;
  void SpreadScale(double* scale, double* spare) const;
  const ProbeSet& set() const { return sets_[current_]; }
  int64_t columns() const { return geometry_.taps() * probes_; }  // (tap, probe), probes side by side
  int64_t InputPlanes() const { return std::max(columns(), group_columns_) + 1; }

  ProbeGeometry geometry_;
  RoundingModel model_{};
  TensorType y_type_;
  Layout x_layout_ = Layout::kDense, y_layout_ = Layout::kDense;
  bool x_planar_ = false, y_planar_ = false;  // channels lie in planes of their own: a dense convolution
  int64_t probes_ = 0;
  int threads_ = 1;
  int64_t group_columns_ = 0;      // columns that Groups computes; Singles does the others
  std::vector<Overlap> overlaps_;  // of the innermost axis, per tap
  std::vector<double> input_squares_, output_squares_, tap_weights_;
  double bias_square_ = 0, relative_ = 0, absolute_ = 0;  // tau = relative sqrt(scale^2) + absolute
  std::vector<ProbeSet> sets_;
  size_t current_ = 0;
  double largest_ratio_ = 0;
};

}  // namespace soter
