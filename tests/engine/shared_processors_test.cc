#include "trusted/engine/shared_processors.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/session_harness.h"

// An accelerator on the enclave's own processors is followed when it is done; every other one while it computes.
namespace soter {
namespace {

AcceleratorInfo Info(const std::string& backend, bool shares_memory) {
  return {.backend = backend, .device = "", .arithmetics = {}, .shares_memory = shares_memory};
}

TEST(SharesProcessors, OnlyTheCpuOfThisMachineWithTooFewProcessors) {
  control::Settings settings{.threads = 2, .worker_threads = 2};
  EXPECT_TRUE(SharesProcessors(Info("cpu", true), settings, 2));
  EXPECT_TRUE(SharesProcessors(Info("cpu", true), settings, 3));
  EXPECT_FALSE(SharesProcessors(Info("cpu", true), settings, 4));
  EXPECT_FALSE(SharesProcessors(Info("cpu", false), settings, 2));  // another machine
  EXPECT_FALSE(SharesProcessors(Info("cuda", true), settings, 2));
  EXPECT_FALSE(SharesProcessors(Info("modelled", true), settings, 2));
}

// Which results of a checked chain were waited for, in order, and the answer.
std::pair<std::vector<size_t>, std::vector<float>> Awaited(const std::string& backend) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kFreivalds);
  settings.worker_threads = 1024;
  Harness harness(settings, testing::WideCnn());
  harness.record_.backend = backend;
  std::vector<float> answer = OutputOf(harness.Run(RandomBatch(2, 7)));
  return {harness.record_.awaited, answer};
}

TEST(SharesProcessors, AllResultsAreWaitedForBeforeTheFirstIsTakenIn) {
  auto [beside, answer_beside] = Awaited("modelled");
  auto [in_turns, answer_in_turns] = Awaited("cpu");
  ASSERT_GT(beside.size(), 2u);
  std::vector<size_t> twice = beside;
  twice.insert(twice.end(), beside.begin(), beside.end());
  EXPECT_EQ(in_turns, twice);
  EXPECT_LT(RelativeError(answer_in_turns, answer_beside), 1e-5);
}

TEST(SharesProcessors, ALieIsCaughtEitherWay) {
  for (const char* backend : {"cpu", "modelled"}) {
    control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kFreivalds);
    settings.worker_threads = 1024;
    Harness harness(settings, testing::WideCnn());
    harness.record_.backend = backend;
    harness.record_.tamper = [](uint32_t, size_t index, std::span<std::byte> bytes) {
      if (index == 2) std::fill(bytes.begin(), bytes.end(), std::byte{0x3f});
    };
    Result<control::RunReport> report = harness.Run(RandomBatch(2, 7));
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kIntegrity);
  }
}

}  // namespace
}  // namespace soter
