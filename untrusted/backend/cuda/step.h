#pragma once

#include <memory>
#include <span>
#include <type_traits>
#include <utility>

#include "untrusted/backend/cuda/device.h"

namespace soter::cuda {

// Arguments are the device buffers of one step and where it runs. They stay the same from run to run.
struct Arguments {
  cudaStream_t stream = nullptr;
  std::span<void* const> inputs, outputs;
  void* workspace = nullptr;
  size_t workspace_bytes = 0;
  uint32_t* fault = nullptr;  // set to 1 by a kernel whose data is wrong (an index out of range)

  template <typename T>
  const T* In(size_t i) const {
    return static_cast<const T*>(inputs[i]);
  }
  template <typename T>
  T* Out(size_t i) const {
    return static_cast<T*>(outputs[i]);
  }
};

// Step computes one part of a segment. It is made without a device, so that planning needs none.
class Step {
 public:
  virtual ~Step() = default;

  // Prepare makes descriptors and chooses an algorithm by measuring on the step's own buffers, with a workspace that
  // is only lent. Returns the bytes of workspace that Launch needs. Errors: kUnsupported, kExhausted, kUnavailable.
  virtual Result<size_t> Prepare(Device& /*device*/, const Arguments& /*arguments*/) { return size_t{0}; }

  // Launch enqueues the work on arguments.stream. It allocates nothing and never waits, so that it can be captured
  // into a CUDA graph.
  virtual Status Launch(const Arguments& arguments) = 0;
};

// MakeStep wraps a function of (const Arguments&) that returns cudaError_t.
template <typename F>
std::unique_ptr<Step> MakeStep(F function) {
  class FunctionStep final : public Step {
   public:
    explicit FunctionStep(F f) : function_(std::move(f)) {}
    Status Launch(const Arguments& arguments) override { return CudaStatus(function_(arguments), "launch a kernel"); }

   private:
    F function_;
  };
  return std::make_unique<FunctionStep>(std::move(function));
}

}  // namespace soter::cuda
