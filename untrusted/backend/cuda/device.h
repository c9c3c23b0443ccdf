#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "common/wire/message.h"
#include "untrusted/backend/cuda/status.h"

namespace soter::cuda {

// Destroyer ends a library's handle. A lost device is not asked to end anything.
template <typename Handle, auto Destroy>
struct Destroyer {
  using pointer = Handle;
  void operator()(Handle handle) const {
    if (!IsLost()) static_cast<void>(Destroy(handle));
  }
};
// Owned is such a handle with an owner.
template <typename Handle, auto Destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroyer<Handle, Destroy>>;

using Stream = Owned<cudaStream_t, cudaStreamDestroy>;
using Event = Owned<cudaEvent_t, cudaEventDestroy>;
// DeviceMemory is 256-byte aligned memory of the device; PinnedMemory is host memory that both sides reach.
using DeviceMemory = Owned<void*, cudaFree>;
using PinnedMemory = Owned<void*, cudaFreeHost>;

// SharedMemory is device memory that a segment keeps for as long as it refers to it.
using SharedMemory = std::shared_ptr<const DeviceMemory>;

// Errors of each: as CudaStatus.
Result<Event> MakeEvent();
Result<DeviceMemory> AllocateDevice(size_t size_bytes);
Result<PinnedMemory> AllocatePinned(size_t size_bytes);

// AwaitIdle returns once `stream` has nothing left to do. It does not block inside the driver, so that a kernel which
// never ends is noticed: after two minutes without an end the device is lost. Errors: kUnavailable (also when the
// device reports an error).
Status AwaitIdle(cudaStream_t stream);
// SetPatience replaces the two minutes, for tests.
void SetPatience(std::chrono::milliseconds patience);

// Scratch is memory of one purpose that segments share, since they run one after another. A segment that needs more
// gets a larger piece; those before it keep theirs, whose address they may have recorded.
class Scratch {
 public:
  // Errors: as AllocateDevice.
  Result<SharedMemory> Reserve(size_t size_bytes);
  void Forget() { *this = {}; }

 private:
  SharedMemory memory_;
  size_t size_bytes_ = 0;
};

// MatMulChoice and ConvChoice are what a measurement found to be the fastest (linear.cc, conv.cc).
struct MatMulChoice {
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace_bytes;
};
struct ConvChoice {
  int algorithm;
  bool fused;  // with bias and activation in cuDNN's own kernel
  size_t workspace_bytes;
};

// Device is one GPU as one client uses it: three streams and the libraries' handles. Used by one thread at a time,
// which calls Activate first: the current device belongs to a thread.
class Device {
 public:
  // Open takes the GPU with that index. Errors: kInvalidArgument (there is none with it), kUnavailable.
  static Result<std::unique_ptr<Device>> Open(uint32_t index);

  Status Activate() const;
  const std::string& name() const { return name_; }
  std::vector<wire::Arithmetic> Arithmetics() const;

  // Steps run on compute(), inputs arrive on upload(), outputs leave on download(). The last two are of higher
  // priority, so that their few small kernels need not wait for the blocks of a large one.
  cudaStream_t compute() const { return compute_.get(); }
  cudaStream_t upload() const { return upload_.get(); }
  cudaStream_t download() const { return download_.get(); }
  cudnnHandle_t cudnn() const { return cudnn_.get(); }
  cublasLtHandle_t cublas() const { return cublas_.get(); }

  // Where the values between steps lie, and what algorithms use beside their operands.
  Scratch& arena() { return arena_; }
  Scratch& workspace() { return workspace_; }

  // What was found for a description of shapes; measured once while a segment is loaded.
  std::map<std::string, MatMulChoice>& matmul_choices() { return matmul_choices_; }
  std::map<std::string, ConvChoice>& conv_choices() { return conv_choices_; }

 private:
  Device() = default;

  int index_ = 0, major_ = 0;
  std::string name_;
  Stream compute_, upload_, download_;
  Owned<cudnnHandle_t, cudnnDestroy> cudnn_;
  Owned<cublasLtHandle_t, cublasLtDestroy> cublas_;
  Scratch arena_, workspace_;
  std::map<std::string, MatMulChoice> matmul_choices_;
  std::map<std::string, ConvChoice> conv_choices_;
};

// BestMilliseconds runs `enqueue`, which returns a Status, a few times on compute() and returns the shortest time.
template <typename F>
Result<float> BestMilliseconds(const Device& device, F enqueue) {
  constexpr int kRounds = 4;  // the first of them also loads code
  cudaEvent_t raw[2] = {};
  for (cudaEvent_t& event : raw) TRY(CudaStatus(cudaEventCreate(&event), "make an event"));
  Event begin(raw[0]), end(raw[1]);
  float best = 0;
  for (int round = 0; round < kRounds; ++round) {
    TRY(CudaStatus(cudaEventRecord(begin.get(), device.compute()), "record an event"));
    TRY(enqueue());
    TRY(CudaStatus(cudaEventRecord(end.get(), device.compute()), "record an event"));
    TRY(AwaitIdle(device.compute()));
    float elapsed = 0;
    TRY(CudaStatus(cudaEventElapsedTime(&elapsed, begin.get(), end.get()), "measure an algorithm"));
    if (round <= 1 || elapsed < best) best = elapsed;
  }
  return best;
}

}  // namespace soter::cuda
