#pragma once

#include "trusted/claim/claim.h"

namespace soter {

// A session gives a worker up after this many failed queries; Freivalds' check uses up one set of probes with each.
inline constexpr int kMaxCheckFailures = 3;

// What every failed check says, so that nobody learns which operator or element it was.
inline constexpr const char* kWrongResult = "a result of the accelerator failed its check";

// Answer stands for the outputs of one query: whoever holds a Verified<Answer> may release them.
struct Answer {};

// Verdict collects what was decided about every result that one query received. A failed check does not end the
// query at once, so that its time does not tell which operator it was; but nothing is released.
class Verdict {
 public:
  // expected  results that the accelerator has to return for this query
  explicit Verdict(size_t expected) : expected_(expected) {}

  // Add takes the outcome of one check, or of a waiver.
  void Add(const Result<Verified<PrivateTensor>>& outcome);

  bool failed() const { return failed_; }

  // Conclude gives the permission to release the answer. Aborts when a result was never decided upon.
  // Errors: kIntegrity (a check failed; not which).
  Result<Verified<Answer>> Conclude() const;

 private:
  size_t expected_, decided_ = 0;
  bool failed_ = false;
};

}  // namespace soter
