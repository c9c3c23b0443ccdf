#include "tools/audit/suite.h"

#include "audit/attacks/additive.h"
#include "audit/attacks/fingerprint_span.h"
#include "audit/attacks/low_rank.h"
#include "audit/attacks/mixing.h"
#include "audit/attacks/moment_regression.h"
#include "audit/attacks/pads.h"
#include "audit/attacks/permutation.h"
#include "audit/attacks/sandwich.h"
#include "audit/attacks/scale_recovery.h"
#include "audit/attacks/source_separation.h"

namespace soter::audit {

// From few unknowns to many: of guesses that fit about equally well, the adversary takes the first (BestPerLayer).
std::vector<Attack> Suite() {
  const char* weights = "weights";
  const char* traffic = "weights, traffic, own queries";
  constexpr bool kMeasures = true;
  return {
      {"read", "none: what lies there in plain", weights, TakeAsSeen},
      {"scale", "TEESlice, S&P 2024", weights, RecoverScales},
      {"reloads", "averaging; Collapse, CCS 2026", "weights of several loads", RecoverFromReloads},
      {"permutation", "ArrowMatch, USENIX Security 2025; MPA", weights, RecoverRowPermutations},
      {"permutations", "USM, attack on Tempo", weights, RecoverBothPermutations},
      {"shared-direction", "USM, MPA, attacks on ArrowCloak", weights, RecoverSharedDirection},
      {"low-rank", "MPA, attack on LoRO", weights, RecoverLowRank},
      {"groups", "MPA, attack on GroupCover", weights, RecoverGroups},
      {"shared-taps", "own: the mean over a filter's positions", weights, RecoverFromSharedTaps},
      {"rotations", "own: SVD and peel", weights, RecoverFromRotations},
      {"rotation", "Procrustes, MPA, attack on ObfuscaTune", weights, RecoverRotation},
      {"shared-mix", "own: Gram pairs of a filter's positions", weights, RecoverSharedMix},
      {"constant-spectrum", "own: the nearest orthogonal matrix", weights, RecoverFromOrthogonalMask},
      {"dense-mix", "MPA, manifold projection", weights, RecoverDenseMix},
      {"sandwich", "layer-wise least squares", traffic, SolveKeptLayers},
      {"reused-pad", "two-time pad; arXiv 2602.11088", traffic, SolveBehindReusedPads},
      {"moments", "own: regression on the ancestor's activations", traffic, RegressPaddedTraffic},
      {"pad-freshness", "arXiv 2602.11088: rank, repeats", traffic, ExaminePads, kMeasures},
      {"sources", "FastICA, against GELO and DarKnight", traffic, SeparateTraffic, kMeasures},
      {"fingerprint-span", "arXiv 2602.11088, against cornerstones", traffic, FindFingerprints, kMeasures},
  };
}

}  // namespace soter::audit
