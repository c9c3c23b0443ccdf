#include "trusted/mask/transfer.h"

#include <atomic>
#include <cstring>

#include "common/compute/simd.h"

namespace soter {
namespace {

constexpr size_t kParallelElements = size_t{1} << 16;  // below this a second thread costs more than it saves

SOTER_SIMD_CLONES void ScaleRun(const float* source, float scale, float* target, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) target[i] = source[i] * scale;
}

void ScaleCopy(const float* source, float scale, float* target, size_t count) {
#pragma omp parallel for simd schedule(static) if (count >= kParallelElements)
  for (size_t i = 0; i < count; ++i) target[i] = source[i] * scale;
}

constexpr const char* kAnotherType = "the accelerator answered with another type than was asked for";

bool SameForm(const UntrustedTensor& answer, const PrivateTensor& target) {
  return answer.type == target.type && answer.layout == target.layout && answer.bytes.size() == target.bytes.size();
}

}  // namespace

void SendScaled(std::span<const float> source, float scale, std::span<std::byte> target) {
  CHECK(target.size() == source.size_bytes(), "buffer sizes differ");
  ScaleCopy(source.data(), scale, reinterpret_cast<float*>(target.data()), source.size());
}

Result<Claim> TakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target) {
  if (!SameForm(answer, target)) return Malformed(kAnotherType);
  if (target.type.dtype == DType::kFloat32) {
    ScaleCopy(reinterpret_cast<const float*>(answer.bytes.data()), inverse_scale,
              reinterpret_cast<float*>(target.bytes.data()), target.bytes.size() / sizeof(float));
  } else {
    std::memcpy(target.bytes.data(), answer.bytes.data(), target.bytes.size());
  }
  return Claim(std::move(target));
}

Result<PartialTakeIn> PartialTakeIn::Begin(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target) {
  CHECK(target.type.dtype == DType::kFloat32, "parts are of float32 tensors");
  if (!SameForm(answer, target)) return Malformed(kAnotherType);
  return PartialTakeIn(answer, inverse_scale, std::move(target));
}

void PartialTakeIn::Take(const TensorPart& part) {
  CHECK(part.count == 0 || (part.offset + (part.count - 1) * part.stride + part.length) * sizeof(float) <= target_.bytes.size(),
        "a part of the tensor");
  float* target = reinterpret_cast<float*>(target_.bytes.data());
  for (size_t i = 0; i < part.count; ++i) {
    size_t at = part.offset + i * part.stride;
    ScaleRun(source_ + at, scale_, target + at, part.length);
  }
  std::atomic_ref(taken_).fetch_add(part.floats(), std::memory_order_relaxed);
}

Claim PartialTakeIn::Finish() && {
  CHECK(taken_ * sizeof(float) == target_.bytes.size(), "every value is taken in once");
  return Claim(std::move(target_));
}

}  // namespace soter
