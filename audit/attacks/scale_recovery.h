#pragma once

#include "audit/attacks/attack.h"

namespace soter::audit {

// RecoverScales divides every seen weight by the factor that brings it closest to its public ancestor, made consistent
// over the network and with the adversary's own inputs and answers.
// Source: Zhang et al., "No Privacy Left Outside" (TEESlice), IEEE S&P 2024, attack on SOTER.
Result<Guess> RecoverScales(const Knowledge& knowledge);

// TakeAsSeen takes what the accelerator holds for the victim's own: the adversary that knows that nothing is
// masked. Says nothing where something is.
Result<Guess> TakeAsSeen(const Knowledge& knowledge);

// WithoutScale is the same for one weight alone: `seen` times <seen, ancestor> / <seen, seen>.
Matrix WithoutScale(const Matrix& seen, const Matrix& ancestor);

}  // namespace soter::audit
