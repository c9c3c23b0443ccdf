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

// TensorPart names some floats of a tensor: `count` runs of `length`, the first at `offset`, `stride` apart.
struct TensorPart {
  size_t offset, length, stride, count;
  size_t floats() const { return length * count; }
};

// PartialTakeIn is TakeIn part by part, so that a check can look at each part while it is still in cache. float32 only.
class PartialTakeIn {
 public:
  // Errors: as TakeIn.
  static Result<PartialTakeIn> Begin(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target);

  // Take reads each value of `part` once. Several threads may take different parts at a time.
  void Take(const TensorPart& part);

  // Finish aborts when the parts did not add up to the whole.
  Claim Finish() &&;

 private:
  PartialTakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target)
      : source_(reinterpret_cast<const float*>(answer.bytes.data())), scale_(inverse_scale), target_(std::move(target)) {}

  const float* source_;
  float scale_;
  PrivateTensor target_;
  size_t taken_ = 0;
};

}  // namespace soter
