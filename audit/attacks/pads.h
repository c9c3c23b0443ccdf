#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// Is what crosses the boundary padded afresh? Each function looks at one place of the boundary over many queries:
// `sent` has one row for each query.

// RecoverReusedPad finds a pad that is the same in every query where what it hides is rectified: the least value that was
// ever sent is the pad itself, if the activation was ever zero. Exact zeros repeat bit by bit; a place counts as found
// where the least value came at least twice.
struct ReusedPad {
  std::vector<double> pad;
  double found = 0;  // share of places
};
ReusedPad RecoverReusedPad(const Matrix& sent);

// PadFreshness tells by what a fresh pad of full entropy cannot show.
struct PadFreshness {
  double rank_share = 1;     // of the dimensions that hold 99.9% of the variance; a pad from K vectors has K / n
  double repeats = 0;        // share of pairs of queries with the same bits somewhere in a place
  double zeros = 0;          // share of exact zeros: plain ReLU outputs
  bool fresh() const;
};
PadFreshness Freshness(const Matrix& sent);

// ExaminePads reports the freshness of every place where the enclave sends activations, and what a reused pad gives away:
// with it, operators kept in the enclave fall to least squares (sandwich.h).
// Source: "precomputed noise" (Saini, Jiang, Liu, arXiv 2602.11088): rank and two-time pads.
Result<Guess> ExaminePads(const Knowledge& knowledge);

// SolveBehindReusedPads takes reused pads off and solves every operator, hidden or not, by least squares on what is left:
// the weight's own mask does not matter then. Places where no pad is found are left out.
Result<Guess> SolveBehindReusedPads(const Knowledge& knowledge);

}  // namespace soter::audit
