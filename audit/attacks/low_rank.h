#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// PeelLowRank removes from seen - ancestor the leading singular directions that stand out, at most `most`: a mask of low
// rank is larger than what fine-tuning changed. Returns the ancestor's scale as it was seen where none stands out.
// Source: MPA's attack on LoRO (NeurIPS 2025).
Matrix PeelLowRank(const Matrix& seen, const Matrix& ancestor, size_t most);

// PeelSharedDirection undoes rows a_i w_i + b_i v with one hidden direction v: v from the residual's leading singular
// vector, a and b row by row by least squares, alternating.
// Source: attacks on ArrowCloak in USM's and MPA's code; "Hiding Directions, Leaking Structure" (2026).
Matrix PeelSharedDirection(const Matrix& seen, const Matrix& ancestor);

Result<Guess> RecoverLowRank(const Knowledge& knowledge);
Result<Guess> RecoverSharedDirection(const Knowledge& knowledge);

}  // namespace soter::audit
