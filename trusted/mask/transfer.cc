#include "trusted/mask/transfer.h"

#include <cstring>

namespace soter {
namespace {

constexpr size_t kParallelElements = size_t{1} << 16;  // below this a second thread costs more than it saves

void ScaleCopy(const float* source, float scale, float* target, size_t count) {
#pragma omp parallel for simd schedule(static) if (count >= kParallelElements)
  for (size_t i = 0; i < count; ++i) target[i] = source[i] * scale;
}

}  // namespace

void SendScaled(std::span<const float> source, float scale, std::span<std::byte> target) {
  CHECK(target.size() == source.size_bytes(), "buffer sizes differ");
  ScaleCopy(source.data(), scale, reinterpret_cast<float*>(target.data()), source.size());
}

Result<Claim> TakeIn(const UntrustedTensor& answer, float inverse_scale, PrivateTensor target) {
  if (answer.type != target.type || answer.layout != target.layout || answer.bytes.size() != target.bytes.size())
    return Malformed("the accelerator answered with another type than was asked for");
  if (target.type.dtype == DType::kFloat32) {
    ScaleCopy(reinterpret_cast<const float*>(answer.bytes.data()), inverse_scale,
              reinterpret_cast<float*>(target.bytes.data()), target.bytes.size() / sizeof(float));
  } else {
    std::memcpy(target.bytes.data(), answer.bytes.data(), target.bytes.size());
  }
  return Claim(std::move(target));
}

}  // namespace soter
