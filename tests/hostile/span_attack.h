#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace soter::hostile {

using Vectors = std::vector<std::vector<double>>;

// Orthonormalise returns an orthonormal basis of the span of `vectors` (modified Gram-Schmidt, done twice); directions
// shorter than 1e-6 of their vector are taken for noise.
Vectors Orthonormalise(const Vectors& vectors);

// CommonSpan returns an orthonormal basis of what two subspaces, given by orthonormal bases, have in common: the
// directions whose principal angle has a cosine above 1 - 1e-6 (one-sided Jacobi SVD of A^T B; Bjorck and Golub 1973).
Vectors CommonSpan(const Vectors& a, const Vectors& b);

// SpanAttack tells the fingerprints among the rows of requests to one operator (arXiv 2602.11088). Fingerprints are
// combinations of a few fixed cornerstones, users' rows are not: the spans of two sets of rows have the cornerstones' span in
// common and nothing else, as long as both sets together have fewer rows than a row has elements.
class SpanAttack {
 public:
  enum class State : uint8_t { kLooking, kFound, kNothing };

  // Observe looks at one request of rows [count][width] and returns for each whether it is safe to tamper with: false
  // for fingerprints, and for all while it is still looking.
  std::vector<bool> Observe(std::span<const float> rows, size_t count);

  State state() const { return state_; }
  size_t requests() const { return requests_; }      // observed so far
  size_t found_after() const { return found_after_; }  // requests until it was sure; 0 before
  size_t dimension() const { return basis_.size(); }  // of the common span

  static constexpr size_t kPatience = 48;          // requests without a common span: there are no fingerprints
  static constexpr size_t kAgreements = 3;         // requests in a row that must be told apart before it is sure
  static constexpr size_t kMaxWidth = 1 << 17;     // longer rows take more time than a liar has

 private:
  bool IsFingerprint(std::span<const float> row) const;
  std::vector<bool> Classify(std::span<const float> rows, size_t count, const std::vector<bool>& repeated) const;
  void Learn(std::span<const float> rows, size_t count, const std::vector<bool>& repeated);

  State state_ = State::kLooking;
  Vectors sets_[2], basis_;
  std::set<std::vector<float>> seen_;  // a row that comes twice is no fingerprint: their scalars are fresh
  size_t requests_ = 0, agreed_ = 0, found_after_ = 0;
};

}  // namespace soter::hostile
