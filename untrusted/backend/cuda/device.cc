#include "untrusted/backend/cuda/device.h"

#include <algorithm>

namespace soter::cuda {

namespace {

Result<Stream> MakeStream(int priority) {
  cudaStream_t stream = nullptr;
  // Not blocking: the default stream, which libraries may use while they load, must not hold these up.
  TRY(CudaStatus(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking, priority), "make a stream"));
  return Stream(stream);
}

}  // namespace

Result<Event> MakeEvent() {
  cudaEvent_t event = nullptr;
  TRY(CudaStatus(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "make an event"));
  return Event(event);
}

Result<DeviceMemory> AllocateDevice(size_t size_bytes) {
  void* memory = nullptr;
  TRY(CudaStatus(cudaMalloc(&memory, std::max<size_t>(size_bytes, 1)), "allocate memory"));
  return DeviceMemory(memory);
}

Result<PinnedMemory> AllocatePinned(size_t size_bytes) {
  void* memory = nullptr;
  unsigned flags = cudaHostAllocPortable | cudaHostAllocMapped;
  TRY(CudaStatus(cudaHostAlloc(&memory, std::max<size_t>(size_bytes, 1), flags), "pin memory of the host"));
  return PinnedMemory(memory);
}

Result<SharedMemory> Scratch::Reserve(size_t size_bytes) {
  if (memory_ != nullptr && size_bytes_ >= size_bytes) return memory_;
  Forget();
  memory_ = std::make_shared<const DeviceMemory>(TRY(AllocateDevice(size_bytes)));
  size_bytes_ = size_bytes;
  return memory_;
}

Result<std::unique_ptr<Device>> Device::Open(uint32_t index) {
  int count = 0;
  TRY(CudaStatus(cudaGetDeviceCount(&count), "be counted"));
  if (index >= static_cast<uint32_t>(count)) {
    return InvalidArgument("there is no GPU " + std::to_string(index) + "; there are " + std::to_string(count) +
                           ", counted from 0");
  }
  std::unique_ptr<Device> device(new Device);
  device->index_ = static_cast<int>(index);
  TRY(device->Activate());
  cudaDeviceProp properties{};
  TRY(CudaStatus(cudaGetDeviceProperties(&properties, device->index_), "describe itself"));
  device->name_ = properties.name;
  device->major_ = properties.major;
  int least = 0, greatest = 0;
  TRY(CudaStatus(cudaDeviceGetStreamPriorityRange(&least, &greatest), "describe itself"));
  device->compute_ = TRY(MakeStream(least));
  device->upload_ = TRY(MakeStream(greatest));
  device->download_ = TRY(MakeStream(greatest));
  cudnnHandle_t cudnn = nullptr;
  TRY(CudnnStatus(cudnnCreate(&cudnn), "start cuDNN"));
  device->cudnn_.reset(cudnn);
  TRY(CudnnStatus(cudnnSetStream(cudnn, device->compute()), "start cuDNN"));
  cublasLtHandle_t cublas = nullptr;
  TRY(CublasStatus(cublasLtCreate(&cublas), "start cuBLASLt"));
  device->cublas_.reset(cublas);
  return device;
}

Status Device::Activate() const { return CudaStatus(cudaSetDevice(index_), "become the current device"); }

std::vector<wire::Arithmetic> Device::Arithmetics() const {
  using enum wire::Arithmetic;
  constexpr int kFirstWithTf32 = 8;
  if (major_ < kFirstWithTf32) return {kFloat32, kFloat16, kFloat64};
  return {kFloat32, kTf32, kFloat16, kFloat64};
}

}  // namespace soter::cuda
