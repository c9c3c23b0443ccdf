#include "untrusted/backend/cuda/schedule.h"

#include <algorithm>

#include "common/base/check.h"

namespace soter::cuda {

namespace {

size_t RoundUp(size_t bytes) { return (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment; }

// Unread uploads are awaited by no step, so they may arrive as late as the end of the run.
std::vector<BufferId> Unread(const Work& work) {
  std::vector<BufferId> unread = work.uploads;
  for (const StepUse& step : work.steps) {
    for (BufferId b : step.reads) std::erase(unread, b);
  }
  return unread;
}

std::vector<compute::Lifetime> Lifetimes(const Work& work) {
  std::vector<compute::Lifetime> lifetimes(work.buffer_bytes.size());
  for (size_t b = 0; b < lifetimes.size(); ++b) lifetimes[b].size_bytes = RoundUp(work.buffer_bytes[b]);
  uint32_t end = static_cast<uint32_t>(work.steps.size());
  for (uint32_t s = 0; s < end; ++s) {
    for (BufferId b : work.steps[s].writes) lifetimes[b].first = lifetimes[b].last = s;
  }
  for (BufferId b : work.uploads) lifetimes[b].first = 0;
  for (uint32_t s = 0; s < end; ++s) {
    for (BufferId b : work.steps[s].reads) lifetimes[b].last = std::max(lifetimes[b].last, s);
  }
  for (BufferId b : work.downloads) lifetimes[b].last = end;
  for (BufferId b : Unread(work)) lifetimes[b].last = end;
  return lifetimes;
}

}  // namespace

Schedule PlanSchedule(const Work& work) {
  size_t steps = work.steps.size();
  Schedule schedule{.arena = compute::PlanArena(Lifetimes(work)),
                    .waits = std::vector<std::vector<uint32_t>>(steps),
                    .completes = std::vector<std::vector<uint32_t>>(steps)};
  constexpr uint32_t kNone = UINT32_MAX;
  std::vector<uint32_t> upload_of(work.buffer_bytes.size(), kNone);
  std::vector<uint32_t> writer_of(work.buffer_bytes.size(), kNone);
  for (uint32_t i = 0; i < work.uploads.size(); ++i) upload_of[work.uploads[i]] = i;
  for (uint32_t s = 0; s < steps; ++s) {
    for (BufferId b : work.steps[s].reads) {
      if (upload_of[b] == kNone) continue;
      schedule.waits[s].push_back(upload_of[b]);
      upload_of[b] = kNone;  // later steps run after this one
    }
    for (BufferId b : work.steps[s].writes) writer_of[b] = s;
  }
  for (uint32_t o = 0; o < work.downloads.size(); ++o) {
    CHECK(writer_of[work.downloads[o]] != kNone, "a step writes each output");
    schedule.completes[writer_of[work.downloads[o]]].push_back(o);
  }
  for (const std::vector<uint32_t>& done : schedule.completes) {
    schedule.order.insert(schedule.order.end(), done.begin(), done.end());
  }
  return schedule;
}

}  // namespace soter::cuda
