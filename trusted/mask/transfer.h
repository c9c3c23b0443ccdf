#pragma once

#include <span>

#include "trusted/claim/claim.h"

namespace soter {

// SendScaled writes source * scale to `target`, memory that the accelerator reads. One pass; the padding of a
// blocked layout is scaled with the rest. Leaks: time depends on the size only.
void SendScaled(std::span<const float> source, float scale, std::span<std::byte> target);

// TakeIn reads each value of `answer` once and writes value * inverse_scale to `target`, private memory of the same
// type and layout; so what is checked later is what is used later. Errors: kMalformed (type, layout or size differ).
Result<Claim> TakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target);

}  // namespace soter
