#pragma once

#include "trusted/check/fingerprint.h"
#include "trusted/mask/transfer.h"

namespace soter {

// MixedBatch hides fingerprints of one linear operator among the rows of a request: every request has the same number of
// rows, the user's and `extra` fingerprints, at places drawn anew each time. A row is what the operator treats
// separately: an image, or one vector of a Linear. The answers to fingerprints are compared and go no further.
class MixedBatch {
 public:
  // rows   the user's rows                 extra   fingerprints among them, at least 1
  // x_layout, y_layout   of the operator's input and result
  // Errors: kExhausted.
  static Result<MixedBatch> Create(Fingerprint fingerprint, int64_t rows, int64_t extra, Layout x_layout, Layout y_layout);

  // ExtraRows is how many fingerprints a rate, as a share of the user's rows, makes of `rows`: rounded up.
  static int64_t ExtraRows(double rate, int64_t rows);

  int64_t extra() const { return static_cast<int64_t>(drawn_.size()); }
  int64_t total() const { return rows_ + extra(); }

  // Send draws places and fingerprints, and writes all rows times `scale` to `target`, memory that the accelerator reads.
  void Send(std::span<const float> x, float scale, RandomSource& random, std::span<std::byte> target);

  // TakeIn reads each value of `answer`, of total() rows, once: the user's rows go to `y`, in their order. `outcomes`
  // gets the verdict about each fingerprint. Errors: kMalformed (type, layout or size differ).
  Result<Claim> TakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor y,
                       std::vector<Result<Verified<PrivateTensor>>>& outcomes);

 private:
  explicit MixedBatch(Fingerprint fingerprint) : fingerprint_(std::move(fingerprint)) {}
  Result<Claim> TakeInFingerprint(const UntrustedTensor& answer, float inverse_scale);

  Fingerprint fingerprint_;
  int64_t rows_ = 0;
  Layout x_layout_ = Layout::kDense, y_layout_ = Layout::kDense;
  std::vector<int64_t> places_;                    // of the fingerprints of the last Send, ascending
  std::vector<Fingerprint::Combination> drawn_;    // one per fingerprint
  Buffer x_dense_, x_row_, y_row_, y_dense_;       // one row each
};

}  // namespace soter
