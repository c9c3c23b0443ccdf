#include "untrusted/backend/cuda/progress.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

namespace soter::cuda {

namespace {

using Clock = std::chrono::steady_clock;

std::atomic<std::chrono::milliseconds> patience{std::chrono::minutes(2)};

// StreamIsIdle asks the driver. Errors: kUnavailable (any work before has failed).
Result<bool> StreamIsIdle(cudaStream_t stream) {
  cudaError_t state = cudaStreamQuery(stream);
  if (state == cudaErrorNotReady) {
    cudaGetLastError();
    return false;
  }
  TRY(CudaStatus(state, "compute a segment"));
  return true;
}

// Await looks with `done` until it holds: at first as often as it can, then less and less.
template <typename Done>
Status Await(Done done, cudaStream_t stream) {
  constexpr auto kEager = std::chrono::milliseconds(2);
  constexpr auto kPause = std::chrono::microseconds(50);
  constexpr int kLooks = 512;
  Clock::time_point start = Clock::now();
  while (true) {
    for (int look = 0; look < kLooks; ++look) {
      if (done()) return {};
    }
    bool idle = TRY(StreamIsIdle(stream));
    if (done()) return {};
    if (idle) return Unavailable("the GPU ended its work without an answer");
    Clock::duration waited = Clock::now() - start;
    if (waited > patience.load()) {
      MarkLost();
      return Unavailable("the GPU made no progress for " + std::to_string(patience.load().count() / 1000) + " seconds");
    }
    if (waited > kEager) std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

void SetPatience(std::chrono::milliseconds limit) { patience = limit; }

Result<Progress> Progress::Make(size_t output_count) {
  Progress progress;
  progress.output_count_ = output_count;
  progress.memory_ = TRY(AllocatePinned((output_count + 1) * kStride * sizeof(uint32_t)));
  progress.flags_ = static_cast<uint32_t*>(progress.memory_.get());
  void* device = nullptr;
  TRY(CudaStatus(cudaHostGetDevicePointer(&device, progress.flags_, 0), "reach memory of the host"));
  progress.device_flags_ = static_cast<uint32_t*>(device);
  progress.Clear();
  return progress;
}

void Progress::Clear() { std::memset(flags_, 0, (output_count_ + 1) * kStride * sizeof(uint32_t)); }

uint32_t Progress::Load(size_t flag) const { return __atomic_load_n(flags_ + flag * kStride, __ATOMIC_ACQUIRE); }

Status Progress::AwaitOutput(size_t output, cudaStream_t stream) const {
  return Await([&] { return Load(output) != 0; }, stream);
}

Status AwaitIdle(cudaStream_t stream) {
  Status asked;
  auto done = [&] {
    Result<bool> idle = StreamIsIdle(stream);
    if (!idle.ok()) asked = idle.error();
    return !idle.ok() || *idle;
  };
  TRY(Await(done, stream));
  return asked;
}

}  // namespace soter::cuda
