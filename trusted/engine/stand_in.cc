#include "trusted/engine/stand_in.h"

#include <array>
#include <cmath>
#include <cstring>

namespace soter {

namespace {
constexpr size_t kSequence = 1021;  // prime, so that no row repeats another
}  // namespace

Result<Tensor> MakeStandIn(const TensorType& type, RandomSource& random) {
  Tensor tensor = TRY(Tensor::Allocate(type));
  if (type.dtype != DType::kFloat32) {
    if (!tensor.bytes().empty()) std::memset(tensor.mutable_bytes().data(), 0, tensor.bytes().size());
    return tensor;
  }
  std::span<float> values = tensor.MutableAs<float>();
  bool is_matrix = type.shape.size() >= 2;
  double fan_in = is_matrix && type.shape[0] > 0 ? static_cast<double>(values.size()) / static_cast<double>(type.shape[0]) : 1;
  double size = is_matrix ? std::sqrt(2 / std::max(fan_in, 1.0)) : 0.1;
  std::array<float, kSequence> sequence;
  for (float& value : sequence) value = static_cast<float>((is_matrix ? 0.0 : 1.0) + size * random.NextGaussian());
  for (size_t i = 0; i < values.size(); ++i) values[i] = sequence[i % kSequence];
  return tensor;
}

}  // namespace soter
