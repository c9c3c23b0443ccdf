#include "tests/hostile/bugs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/wire/test_worker.h"

namespace soter::hostile {

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.name; }

namespace {

using ::testing::HasSubstr;
using testing::Expected;
using testing::kRows;
using testing::kWidth;
using testing::Ramp;
using testing::TestWorker;

// Differs compares bit by bit, so that NaN is a difference too.
bool Differs(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() != b.size() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0;
}

class BugTest : public ::testing::TestWithParam<Bug> {
 protected:
  explicit BugTest(Options options = {}) : liar_(GetParam(), options) {
    ServerOptions server;
    server.session.tampering = &liar_;
    worker_ = std::make_unique<TestWorker>(server);
    accelerator_ = RemoteAccelerator::Connect(worker_->client()).value();
    CHECK(testing::Load(*accelerator_).ok(), "loading is honest");
  }
  // Run sends a ramp whose first number is `start`, so that each answer differs from the others.
  Result<std::vector<float>> Run(float start, int timeout_ms = 300) {
    x_ = Ramp({kRows, kWidth});
    x_.MutableAs<float>()[0] = start;
    return testing::RunOnce(*accelerator_, x_, timeout_ms);
  }

  Liar liar_;
  std::unique_ptr<TestWorker> worker_;
  std::unique_ptr<RemoteAccelerator> accelerator_;
  Tensor x_;
};

// With no check in the enclave, each bug has its effect, and none can do more than that.
TEST_P(BugTest, HasItsEffectAndNoOther) {
  Result<std::vector<float>> answer = Run(1);
  if (answer.ok()) answer = Run(2);  // replays need an answer to repeat
  switch (GetParam().effect) {
    case Effect::kLie:
      ASSERT_TRUE(answer.ok()) << answer.error().message;
      if (GetParam().after == nullptr) EXPECT_TRUE(Differs(*answer, Expected(x_)));  // rewriting is a race
      break;
    case Effect::kMalformed:
      ASSERT_FALSE(answer.ok());
      EXPECT_EQ(answer.error().code, ErrorCode::kMalformed) << answer.error().message;
      break;
    case Effect::kUnavailable:
    case Effect::kLate:
      ASSERT_FALSE(answer.ok());
      EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable) << answer.error().message;
      EXPECT_THAT(answer.error().message, HasSubstr(worker_->address()));
      break;
  }
  accelerator_.reset();
}

using FailingBugTest = BugTest;

TEST_P(FailingBugTest, AFailureIsFinalForTheConnection) {
  ASSERT_FALSE(Run(1).ok());
  EXPECT_FALSE(accelerator_->Start(testing::kSegment, testing::In(100)).ok());
  EXPECT_FALSE(accelerator_->LoadSegments({}).ok());
}

std::vector<Bug> FailingBugs() {
  std::vector<Bug> bugs(AllBugs().begin(), AllBugs().end());
  std::erase_if(bugs, [](const Bug& bug) { return bug.effect == Effect::kLie; });
  return bugs;
}

std::string TestName(const ::testing::TestParamInfo<Bug>& info) {
  std::string name(info.param.name);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(HostileWorker, BugTest, ::testing::ValuesIn(AllBugs().begin(), AllBugs().end()), TestName);
INSTANTIATE_TEST_SUITE_P(HostileWorker, FailingBugTest, ::testing::ValuesIn(FailingBugs()), TestName);

TEST(HostileWorker, AfterLeavesTheFirstRunsHonest) {
  Liar liar(*FindBug("negate").value(), {.after = 2});
  ServerOptions server;
  server.session.tampering = &liar;
  TestWorker worker(server);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  ASSERT_TRUE(testing::Load(*accelerator).ok());
  Tensor x = Ramp({kRows, kWidth});
  EXPECT_FALSE(Differs(testing::RunOnce(*accelerator, x).value(), Expected(x)));
  EXPECT_FALSE(Differs(testing::RunOnce(*accelerator, x).value(), Expected(x)));
  EXPECT_TRUE(Differs(testing::RunOnce(*accelerator, x).value(), Expected(x)));
}

TEST(HostileWorker, RateLeavesAShareOfTheRunsHonest) {
  Liar liar(*FindBug("negate").value(), {.rate = 0.5});
  ServerOptions server;
  server.session.tampering = &liar;
  TestWorker worker(server);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  ASSERT_TRUE(testing::Load(*accelerator).ok());
  Tensor x = Ramp({kRows, kWidth});
  int lies = 0;
  for (int run = 0; run < 200; ++run) lies += Differs(testing::RunOnce(*accelerator, x).value(), Expected(x));
  EXPECT_GT(lies, 60);  // six standard deviations of a fair coin
  EXPECT_LT(lies, 140);
}

TEST(HostileWorker, ThePatientGetASlowAnswer) {
  Liar liar(*FindBug("slow-answer").value(), {});
  ServerOptions server;
  server.session.tampering = &liar;
  TestWorker worker(server);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  ASSERT_TRUE(testing::Load(*accelerator).ok());
  Tensor x = Ramp({kRows, kWidth});
  EXPECT_FALSE(Differs(testing::RunOnce(*accelerator, x, 10'000).value(), Expected(x)));
}

TEST(HostileWorker, AnUnknownBugIsNamedWithThoseThereAre) {
  Result<const Bug*> bug = FindBug("nonsense");
  ASSERT_FALSE(bug.ok());
  EXPECT_THAT(bug.error().message, HasSubstr("flip-one-bit"));
}

}  // namespace
}  // namespace soter::hostile
