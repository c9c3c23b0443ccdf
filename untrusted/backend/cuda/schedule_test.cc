#include "untrusted/backend/cuda/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace soter::cuda {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A chain of three steps whose first and last results leave: upload 0 -> 1 -> 2 -> 3.
Work Chain() {
  return {.buffer_bytes = {1000, 5000, 3000, 10},
          .steps = {{{0}, {1}}, {{1}, {2}}, {{2}, {3}}},
          .uploads = {0},
          .downloads = {3, 1}};
}

TEST(PlanSchedule, OnlyTheFirstReaderWaitsForAnUpload) {
  Work work{.buffer_bytes = {8, 8, 8, 8},
            .steps = {{{0}, {2}}, {{0, 1, 2}, {3}}},
            .uploads = {0, 1},
            .downloads = {3}};
  Schedule schedule = PlanSchedule(work);
  EXPECT_THAT(schedule.waits, ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST(PlanSchedule, OutputsLeaveRightAfterTheStepThatWritesThem) {
  Schedule schedule = PlanSchedule(Chain());
  EXPECT_THAT(schedule.completes, ElementsAre(ElementsAre(1), IsEmpty(), ElementsAre(0)));
  EXPECT_THAT(schedule.order, ElementsAre(1, 0));
}

TEST(PlanSchedule, ABufferThatLeavesTwiceIsDownloadedTwice) {
  Work work = Chain();
  work.downloads = {3, 3};
  EXPECT_THAT(PlanSchedule(work).order, ElementsAre(0, 1));
}

TEST(PlanSchedule, OffsetsAreAligned) {
  for (size_t offset : PlanSchedule(Chain()).arena.offsets) EXPECT_EQ(offset % kDeviceAlignment, 0u);
}

TEST(PlanSchedule, WhatIsNotInTheArenaTakesNoRoom) {
  Work work{.buffer_bytes = {0, 256}, .steps = {{{0}, {1}}}, .uploads = {}, .downloads = {1}};
  EXPECT_EQ(PlanSchedule(work).arena.size_bytes, 256u);
}

bool Overlap(const Schedule& schedule, const Work& work, BufferId a, BufferId b) {
  size_t begin_a = schedule.arena.offsets[a], begin_b = schedule.arena.offsets[b];
  return begin_a < begin_b + work.buffer_bytes[b] && begin_b < begin_a + work.buffer_bytes[a];
}

TEST(PlanSchedule, MemoryIsReusedOnceItsLastReaderHasRun) {
  Work work{.buffer_bytes = {4096, 4096, 4096, 4096, 4096}, .steps = {{{0}, {1}}, {{1}, {2}}, {{2}, {3}}, {{3}, {4}}},
            .uploads = {0}, .downloads = {4}};
  EXPECT_LE(PlanSchedule(work).arena.size_bytes, 3 * 4096u);
}

// RandomWork is a network of steps that read earlier buffers; some buffers arrive, some leave.
Work RandomWork(std::mt19937& random) {
  Work work;
  auto below = [&](size_t n) { return static_cast<uint32_t>(random() % n); };
  for (uint32_t i = 0, count = 1 + below(3); i < count; ++i) {
    work.uploads.push_back(static_cast<BufferId>(work.buffer_bytes.size()));
    work.buffer_bytes.push_back(1 + below(5000));
  }
  for (uint32_t s = 0, count = 1 + below(20); s < count; ++s) {
    StepUse step;
    for (uint32_t r = 0, reads = 1 + below(3); r < reads; ++r) step.reads.push_back(below(work.buffer_bytes.size()));
    step.writes.push_back(static_cast<BufferId>(work.buffer_bytes.size()));
    if (below(3) == 0) work.downloads.push_back(step.writes[0]);
    work.buffer_bytes.push_back(1 + below(5000));
    work.steps.push_back(step);
  }
  return work;
}

// A model of the device in which everything that may be late is: uploads land whenever they like before they are
// waited for, downloads read at the very end. No plan may let that change what a reader sees.
TEST(PlanSchedule, NothingIsOverwrittenWhileACopyOrAStepMayStillReadIt) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Work work = RandomWork(random);
    Schedule schedule = PlanSchedule(work);
    size_t steps = work.steps.size();
    std::vector<size_t> from(work.buffer_bytes.size()), until(work.buffer_bytes.size());
    for (size_t s = 0; s < steps; ++s) {
      for (BufferId b : work.steps[s].writes) from[b] = until[b] = s;
      for (BufferId b : work.steps[s].reads) until[b] = std::max(until[b], s);
    }
    for (BufferId b : work.uploads) from[b] = 0;
    for (BufferId b : work.downloads) until[b] = steps;
    for (BufferId b : work.uploads) {
      auto reads = [&](const StepUse& step) { return std::ranges::count(step.reads, b) > 0; };
      if (std::ranges::none_of(work.steps, reads)) until[b] = steps;  // awaited at the end only
    }
    for (BufferId a = 0; a < from.size(); ++a) {
      for (BufferId b = 0; b < a; ++b) {
        bool alive_together = from[a] <= until[b] && from[b] <= until[a];
        EXPECT_FALSE(alive_together && Overlap(schedule, work, a, b)) << a << " and " << b;
      }
    }
  }
}

TEST(PlanSchedule, EveryUploadThatIsReadIsWaitedForExactlyOnceAndInTime) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    std::mt19937 random(seed);
    Work work = RandomWork(random);
    Schedule schedule = PlanSchedule(work);
    for (uint32_t i = 0; i < work.uploads.size(); ++i) {
      size_t waits = 0, first_reader = work.steps.size(), waiting = work.steps.size();
      for (size_t s = 0; s < work.steps.size(); ++s) {
        bool reads = std::ranges::count(work.steps[s].reads, work.uploads[i]) > 0;
        if (reads) first_reader = std::min(first_reader, s);
        if (std::ranges::count(schedule.waits[s], i) == 0) continue;
        ++waits;
        waiting = s;
      }
      EXPECT_EQ(waits, first_reader < work.steps.size() ? 1u : 0u) << "seed " << seed;
      EXPECT_EQ(waiting, first_reader) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace soter::cuda
