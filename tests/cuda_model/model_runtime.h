#pragma once

#include <cstdint>
#include <functional>

// A model of the CUDA runtime on the CPU, in place of the library, for tests of what the CUDA backend does between its
// kernels: streams whose work is done by a thread of its own, in any order that events allow, drawn at random; recordings
// that lose whatever they do not depend on; and faults on demand. It is a simulation and says nothing of a GPU's speed.
// It is stricter than the runtime where that finds mistakes: see model_runtime.cc.
struct CUstream_st;

namespace soter::cuda_model {

struct Faults {
  size_t device_bytes = SIZE_MAX;  // that can be allocated
  bool no_pinning = false;         // host memory cannot be registered
  bool no_recording = false;       // every recording fails at its end
  int64_t launch_fails_after = -1; // kernels that still succeed; then the device faults for good. -1: all succeed
  bool hangs = false;              // kernels never end
};

// Reset makes a new device with those faults, whose choices come from `seed`. Nothing of the old one may be in use.
void Reset(uint64_t seed, const Faults& faults = {});
// SetFaults changes them while the device is in use.
void SetFaults(const Faults& faults);

// Launch enqueues a kernel that runs `work`.
int Launch(CUstream_st* stream, std::function<void()> work);

size_t allocated_bytes();   // of the device
uint64_t recordings_run();
}  // namespace soter::cuda_model
