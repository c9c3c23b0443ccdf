#pragma once

#include <map>
#include <memory>
#include <unordered_map>

#include "untrusted/backend/cuda/builder.h"

namespace soter::cuda {

// Weights are the tensors of a client on the device: each once for each element type that a segment asked for.
class Weights {
 public:
  explicit Weights(Device& device) : device_(device) {}

  // Upload keeps a tensor. Errors: kExhausted, kUnavailable.
  Status Upload(WeightId id, const Tensor& tensor);

  // Find returns a constant as the element type that its plan asks for, converted on the device. Errors: as Upload.
  Result<SharedMemory> Find(const ConstantPlan& plan);

  // Clear forgets all; segments keep what they refer to.
  void Clear() { weights_.clear(); }

 private:
  struct Weight {
    TensorType type;
    std::map<DType, SharedMemory> as;
  };

  Result<SharedMemory> Copy(const Tensor& tensor);
  Result<SharedMemory> Convert(const TensorType& type, const SharedMemory& memory, DType dtype);

  Device& device_;
  std::unordered_map<WeightId, Weight> weights_;
};

}  // namespace soter::cuda
