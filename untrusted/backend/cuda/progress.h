#pragma once

#include "untrusted/backend/cuda/device.h"

namespace soter::cuda {

// Progress is how the device tells the host what is done while more is under way: one flag for each output, and one
// for a fault, in pinned memory. The device stores, the host looks: no call of the driver is on the way of an output,
// and recorded work signals like fresh work.
class Progress {
 public:
  static Result<Progress> Make(size_t output_count);

  // Clear takes all flags down; nothing may be running.
  void Clear();
  uint32_t* device_flag(size_t output) const { return device_flags_ + output * kStride; }
  uint32_t* device_fault() const { return device_flag(output_count_); }
  bool faulted() const { return Load(output_count_) != 0; }

  // AwaitOutput returns once the output's flag is up, and waits as AwaitIdle (device.h) does.
  Status AwaitOutput(size_t output, cudaStream_t stream) const;

 private:
  static constexpr size_t kStride = 16;  // flags on cache lines of their own

  Progress() = default;
  uint32_t Load(size_t flag) const;

  size_t output_count_ = 0;
  PinnedMemory memory_;
  uint32_t* flags_ = nullptr;
  uint32_t* device_flags_ = nullptr;
};

}  // namespace soter::cuda
