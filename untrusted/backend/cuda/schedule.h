#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "common/compute/arena.h"

// What runs when on a device: memory, waits and copies, planned without a device (docs/gpu.md, 2).
namespace soter::cuda {

using BufferId = uint32_t;
inline constexpr BufferId kNoBuffer = UINT32_MAX;

// Device memory starts at multiples of this: what cuBLASLt assumes of a pointer when it picks its fastest kernels.
inline constexpr size_t kDeviceAlignment = 256;

// StepUse names the buffers of one step.
struct StepUse {
  std::vector<BufferId> reads, writes;
};

// Work is what is to be scheduled. Steps run one after another; copies run beside them.
struct Work {
  std::vector<size_t> buffer_bytes;   // 0 for what does not live in the arena (weights)
  std::vector<StepUse> steps;         // in order
  std::vector<BufferId> uploads;      // by input of the segment: where its bytes land
  std::vector<BufferId> downloads;    // by output of the segment: whose bytes leave; each is written by a step
};

struct Schedule {
  compute::ArenaPlan arena;                     // offsets by buffer, multiples of kDeviceAlignment
  std::vector<std::vector<uint32_t>> waits;     // by step: uploads that must have arrived before it
  std::vector<std::vector<uint32_t>> completes; // by step: downloads that may begin after it
  std::vector<uint32_t> order;                  // of the downloads, as they become ready
};

// PlanSchedule gives each buffer a place and each copy its moment. Memory is reused between steps only: where a copy
// lands is taken from the start of the run on, since all uploads begin then, and what leaves is kept until its end,
// since a download may be slower than all steps after it. So no step waits for a download.
Schedule PlanSchedule(const Work& work);

}  // namespace soter::cuda
