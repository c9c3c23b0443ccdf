#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>

#include "tests/engine/session_harness.h"

// Sessions under Freivalds: what is honest comes out right, and nothing else comes out.
namespace soter {
namespace {

using ::testing::HasSubstr;

std::vector<float> Expected(int64_t batch, uint64_t seed) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone), testing::WideCnn());
  return OutputOf(harness.Run(RandomBatch(batch, seed)));
}

std::span<float> Floats(std::span<std::byte> bytes) {
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

class CheckedAtTheta : public ::testing::TestWithParam<double> {};

TEST_P(CheckedAtTheta, SoterIsRightAndChecksEveryOffloadedResult) {
  for (int draw = 0; draw < 4; ++draw) {
    Harness harness(SettingsFor(Scheme::kSoter, GetParam(), Check::kFreivalds), testing::WideCnn());
    Result<control::RunReport> report = harness.Run(RandomBatch(2, 7), 2);
    EXPECT_LE(RelativeError(OutputOf(report), Expected(2, 7)), 1e-5);
    control::PlanReport plan = harness.session_->Plan({{{2, 3, 12, 12}}, false}).value();
    EXPECT_EQ(report->checks_made, 2 * plan.linear_offloaded);
    EXPECT_EQ(report->verified, plan.linear_offloaded > 0 ? 1 : 2);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CheckedAtTheta, ::testing::Values(0.0, 0.25, 0.5, 0.75, 1.0));

TEST(CheckedSession, VerifiedIsRightAndKeepsExpensiveChecksInTheEnclave) {
  Harness harness(SettingsFor(Scheme::kVerified, 1, Check::kFreivalds), testing::WideCnn());
  Result<control::RunReport> report = harness.Run(RandomBatch(2, 7));
  EXPECT_LE(RelativeError(OutputOf(report), Expected(2, 7)), 1e-5);
  EXPECT_EQ(report->verified, 1);
  EXPECT_EQ(report->checks_made, 4u);
  EXPECT_EQ(report->switches, 1u);  // one chain, without a round trip between its operators
  control::PlanReport plan = harness.session_->Plan({{{2, 3, 12, 12}}, false}).value();
  EXPECT_THAT(plan.nodes.front().reason, HasSubstr("cost too much"));
  EXPECT_FALSE(plan.nodes.front().accelerator);
}

TEST(CheckedSession, OnlyLinearResultsAreReceived) {
  Harness harness(SettingsFor(Scheme::kVerified, 1, Check::kFreivalds), testing::WideCnn());
  std::vector<size_t> sizes;
  harness.record_.tamper = [&](uint32_t, size_t, std::span<std::byte> bytes) { sizes.push_back(bytes.size()); };
  ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  EXPECT_EQ(sizes, (std::vector<size_t>{4 * 48 * 144, 4 * 48 * 36, 4 * 48 * 36, 4 * 64}));
  EXPECT_EQ(harness.session_->Plan({{{1, 3, 12, 12}}, false}).value().bytes_received, 4u * (48 * 144 + 2 * 48 * 36 + 64));
}

TEST(CheckedSession, AnotherBatchSizeIsBoundAndCheckedAfresh) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFreivalds), testing::WideCnn());
  for (int64_t batch : {1, 3, 1})
    EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(batch, 8))), Expected(batch, 8)), 1e-5);
}

// Each way to answer wrongly, applied to the given output.
struct Tampering {
  const char* name;
  std::function<void(std::span<float>)> apply;
};

const Tampering kTamperings[] = {
    {"OneElement", [](std::span<float> y) { y[y.size() / 2] += 0.01f; }},
    {"Scale", [](std::span<float> y) { for (float& v : y) v *= 1.001f; }},
    {"Negate", [](std::span<float> y) { for (float& v : y) v = -v; }},
    {"Swap", [](std::span<float> y) { std::reverse(y.begin(), y.end()); }},
    {"Zero", [](std::span<float> y) { std::fill(y.begin(), y.end(), 0.0f); }},
    {"NaN", [](std::span<float> y) { y[0] = std::nanf(""); }},
    {"Infinity", [](std::span<float> y) { y[0] = INFINITY; }},
};

class Tampered : public ::testing::TestWithParam<std::tuple<Scheme, size_t, Tampering>> {};

TEST_P(Tampered, ResultsEndTheQueryAndSayNothingMore) {
  auto [scheme, output, tampering] = GetParam();
  Harness harness(SettingsFor(scheme, 1, Check::kFreivalds), testing::WideCnn(1));
  harness.record_.tamper = [&, target = output, &apply = tampering.apply](uint32_t, size_t index, std::span<std::byte> bytes) {
    if (index == target) apply(Floats(bytes));
  };
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kIntegrity);
  EXPECT_EQ(report.error().message, kWrongResult);  // the same for every operator and element
}

INSTANTIATE_TEST_SUITE_P(All, Tampered,
                         ::testing::Combine(::testing::Values(Scheme::kVerified, Scheme::kSoter),
                                            ::testing::Values(size_t{0}, size_t{1}, size_t{3}),
                                            ::testing::ValuesIn(kTamperings)));

TEST(CheckedSession, AReplayOfTheAnswerToAnotherInputIsCaught) {
  Harness harness(SettingsFor(Scheme::kVerified, 1, Check::kFreivalds), testing::WideCnn(1));
  std::map<size_t, std::vector<std::byte>> first;
  harness.record_.tamper = [&](uint32_t, size_t index, std::span<std::byte> bytes) {
    auto [entry, fresh] = first.try_emplace(index, bytes.begin(), bytes.end());
    if (!fresh) std::copy(entry->second.begin(), entry->second.end(), bytes.begin());
  };
  EXPECT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  EXPECT_TRUE(harness.Run(RandomBatch(1, 7)).ok());  // the same input: the replay is right
  EXPECT_EQ(harness.Run(RandomBatch(1, 8)).error().code, ErrorCode::kIntegrity);
}

TEST(CheckedSession, AfterAFailureTheNextHonestAnswerPasses) {
  Harness harness(SettingsFor(Scheme::kVerified, 1, Check::kFreivalds), testing::WideCnn(1));  // releases its weights
  bool cheat = true;
  harness.record_.tamper = [&](uint32_t, size_t index, std::span<std::byte> bytes) {
    if (cheat && index == 1) Floats(bytes)[5] += 1.0f;
  };
  EXPECT_EQ(harness.Run(RandomBatch(1, 7)).error().code, ErrorCode::kIntegrity);
  cheat = false;
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  EXPECT_LE(RelativeError(OutputOf(report), Expected(1, 7)), 1e-5);
  EXPECT_EQ(report->checks_failed, 1u);
}

TEST(CheckedSession, AfterThreeFailuresTheWorkerIsGivenUp) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFreivalds), testing::WideCnn(1));
  harness.record_.tamper = [](uint32_t, size_t, std::span<std::byte> bytes) { Floats(bytes)[0] += 1.0f; };
  for (int i = 0; i < kMaxCheckFailures; ++i)
    EXPECT_EQ(harness.Run(RandomBatch(1, 7)).error().code, ErrorCode::kIntegrity);
  size_t starts = harness.record_.starts;
  harness.record_.tamper = nullptr;
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(report.error().message, HasSubstr("given up"));
  EXPECT_EQ(harness.record_.starts, starts);  // it is not even asked
}

// Every stage still runs after a failure, but on zeros: the accelerator learns nothing from how the query goes on.
TEST(CheckedSession, AfterAFailureNothingThatFollowsFromItLeaves) {
  for (int draw = 0; draw < 20; ++draw) {
    Harness harness(SettingsFor(Scheme::kSoter, 0.6, Check::kFreivalds), testing::WideCnn(1));
    ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
    size_t inputs = harness.record_.inputs.size();
    if (harness.record_.starts < 2) continue;  // this draw has a single stage, maybe of several inputs
    harness.record_.tamper = [](uint32_t segment, size_t, std::span<std::byte> bytes) {
      if (segment == 0) Floats(bytes)[0] += 1.0f;
    };
    EXPECT_EQ(harness.Run(RandomBatch(1, 7)).error().code, ErrorCode::kIntegrity);
    ASSERT_EQ(harness.record_.inputs.size(), 2 * inputs);
    for (std::byte value : harness.record_.inputs.back()) ASSERT_EQ(value, std::byte{0});
    return;
  }
  FAIL() << "no draw had two stages";
}

TEST(CheckedSession, VerifiedAcceptsNoOtherCheck) {
  EXPECT_THAT(ValidateSettings(SettingsFor(Scheme::kVerified, 1, Check::kNone)).error().message, HasSubstr("--check"));
  EXPECT_TRUE(ValidateSettings(SettingsFor(Scheme::kVerified, 1, Check::kFreivalds)).ok());
}

TEST(CheckedSession, FreivaldsIsTheDefault) { EXPECT_EQ(control::Settings{}.check, Check::kFreivalds); }

}  // namespace
}  // namespace soter
