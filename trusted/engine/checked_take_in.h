#pragma once

#include "trusted/check/freivalds.h"
#include "trusted/engine/band_activation.h"

namespace soter {

// FollowUp is what is done with a result while it is still in cache, beside checking it: the operators between it and
// the next linear one, and the sums over the next one's input.
struct FollowUp {
  BandActivation activation = BandActivation::kNone;
  float* activated = nullptr;         // where the activated values go; may be the result's own memory
  const Freivalds* next = nullptr;    // the check whose input that is, or null
  FreivaldsScratch* next_scratch = nullptr;
};

// CheckedTakeInTimes tells what a pass spent, in milliseconds of wall time.
struct CheckedTakeInTimes {
  double copying = 0, checking = 0, activating = 0;
};

// CheckedTakeIn takes in the result of one linear operator and computes the sums of its check in the same pass, so that
// a value is read from memory once: band by band, each thread copies, sums, applies the follow-up and sums over what
// the next operator reads of it. The verdict is left to check.Decide.
// Errors: kMalformed (type, layout or size differ).
Result<Claim> CheckedTakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target, const Freivalds& check,
                            FreivaldsScratch& scratch, const FollowUp& follow, CheckedTakeInTimes& times);

// DotAllInputs computes the sums over an input that no pass has made.
void DotAllInputs(const float* x, const Freivalds& check, FreivaldsScratch& scratch);

}  // namespace soter
