#include "untrusted/backend/cuda/weights.h"

#include "common/compute/layout.h"
#include "untrusted/backend/cuda/kernels/elementwise.h"

namespace soter::cuda {

Result<SharedMemory> Weights::Copy(const Tensor& tensor) {
  DeviceMemory memory = TRY(AllocateDevice(tensor.bytes().size()));
  // On the compute stream and waited for: the default stream would not be ordered before the steps that read it.
  TRY(CudaStatus(cudaMemcpyAsync(memory.get(), tensor.bytes().data(), tensor.bytes().size(), cudaMemcpyHostToDevice,
                                 device_.compute()),
                 "take over a weight"));
  TRY(AwaitIdle(device_.compute()));
  return std::make_shared<const DeviceMemory>(std::move(memory));
}

Result<SharedMemory> Weights::Convert(const TensorType& type, const SharedMemory& memory, DType dtype) {
  int64_t count = compute::Product(type.shape);
  DeviceMemory converted = TRY(AllocateDevice(static_cast<size_t>(count) * DTypeBytes(dtype)));
  TRY(CudaStatus(LaunchCast(device_.compute(), type.dtype, dtype, count, memory->get(), converted.get()),
                 "convert a weight"));
  TRY(AwaitIdle(device_.compute()));
  return std::make_shared<const DeviceMemory>(std::move(converted));
}

Status Weights::Upload(WeightId id, const Tensor& tensor) {
  SharedMemory memory = TRY(Copy(tensor));
  weights_[id] = {tensor.type(), {{tensor.dtype(), std::move(memory)}}};
  return {};
}

Result<SharedMemory> Weights::Find(const ConstantPlan& plan) {
  const Tensor* data = plan.made != nullptr ? plan.made.get() : plan.initializer->data.get();
  if (data != nullptr) {
    SharedMemory memory = TRY(Copy(*data));
    return data->dtype() == plan.dtype ? Result<SharedMemory>(memory) : Convert(data->type(), memory, plan.dtype);
  }
  auto found = weights_.find(plan.initializer->weight);
  CHECK(found != weights_.end(), "the worker checks weight ids");
  Weight& weight = found->second;
  auto as = weight.as.find(plan.dtype);
  if (as != weight.as.end()) return as->second;
  SharedMemory converted = TRY(Convert(weight.type, weight.as.at(weight.type.dtype), plan.dtype));
  weight.as[plan.dtype] = converted;
  return converted;
}

}  // namespace soter::cuda
