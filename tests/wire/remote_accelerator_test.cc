#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/wire/test_worker.h"

namespace soter::testing {
namespace {

using ::testing::HasSubstr;

struct Way {
  const char* name;
  bool shared;
  const char* address;
};

void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

// A worker reached in each way: through shared memory, in frames over a Unix socket, in frames over TCP.
class RemoteAcceleratorTest : public ::testing::TestWithParam<Way> {
 protected:
  static ServerOptions Options() {
    ServerOptions options;
    if (!GetParam().shared) options.session.shared_directory.clear();
    return options;
  }
  TestWorker worker_{Options(), GetParam().address};
  std::unique_ptr<RemoteAccelerator> accelerator_ = RemoteAccelerator::Connect(worker_.client()).value();
};

TEST_P(RemoteAcceleratorTest, ReturnsEveryOutputInOrder) {
  EXPECT_EQ(accelerator_->info().backend, "hand");
  EXPECT_EQ(accelerator_->info().shares_memory, GetParam().shared);
  ASSERT_TRUE(Load(*accelerator_).ok());
  Tensor x = Ramp({kRows, kWidth});
  for (int repeat = 0; repeat < 3; ++repeat) EXPECT_EQ(RunOnce(*accelerator_, x).value(), Expected(x));
}

TEST_P(RemoteAcceleratorTest, CountsPayloadBytesBothWays) {
  ASSERT_TRUE(Load(*accelerator_).ok());
  uint64_t sent = accelerator_->bytes_sent(), received = accelerator_->bytes_received();
  ASSERT_TRUE(RunOnce(*accelerator_, Ramp({kRows, kWidth})).ok());
  EXPECT_EQ(accelerator_->bytes_sent() - sent, kRows * kWidth * sizeof(float));
  EXPECT_EQ(accelerator_->bytes_received() - received, 2 * kRows * kWidth * sizeof(float));
}

TEST_P(RemoteAcceleratorTest, ReplacesItsSegments) {
  ASSERT_TRUE(Load(*accelerator_).ok());
  std::vector<Segment> more = {LinearRelu(1), LinearRelu(2), LinearRelu(3)};
  ASSERT_TRUE(accelerator_->LoadSegments(more).ok());
  Tensor x = Ramp({kRows, kWidth});
  for (uint32_t id : {3u, 1u, 2u}) EXPECT_EQ(RunOnce(*accelerator_, x, 5000, id).value(), Expected(x));
}

TEST_P(RemoteAcceleratorTest, InputsOfOneSegmentStayWhileAnotherRuns) {
  std::vector<Segment> segments = {LinearRelu(1), LinearRelu(2)};
  ASSERT_TRUE(Load(*accelerator_, segments).ok());
  Tensor x = Ramp({kRows, kWidth});
  std::ranges::copy(x.bytes(), accelerator_->InputBuffer(2, 0).begin());
  ASSERT_TRUE(RunOnce(*accelerator_, x, 5000, 1).ok());
  EXPECT_EQ(Floats(accelerator_->InputBuffer(2, 0)), Floats(x.bytes()));
}

TEST_P(RemoteAcceleratorTest, ARunThatTheDataMakesImpossibleIsReportedAndTheNextOneWorks) {
  ASSERT_TRUE(Load(*accelerator_).ok());
  Tensor x = Ramp({kRows, kWidth}), refused = x.Clone();
  refused.MutableAs<float>()[0] = HandBackend::kRefusedInput;
  Result<std::vector<float>> run = RunOnce(*accelerator_, refused);
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(run.error().message, HasSubstr("the first number is refused"));
  EXPECT_EQ(RunOnce(*accelerator_, x).value(), Expected(x));
}

TEST_P(RemoteAcceleratorTest, AnUnknownWeightIsRefused) {
  Result<std::vector<Refusal>> loaded = accelerator_->LoadSegments(std::vector<Segment>{LinearRelu()});
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message, HasSubstr("a weight that was not uploaded"));
}

TEST_P(RemoteAcceleratorTest, AWorkerThatGoesAwayIsNamed) {
  ASSERT_TRUE(Load(*accelerator_).ok());
  worker_.Stop();
  Result<std::vector<float>> run = RunOnce(*accelerator_, Ramp({kRows, kWidth}));
  ASSERT_FALSE(run.ok());
  EXPECT_EQ(run.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(run.error().message, HasSubstr(worker_.address()));
  EXPECT_EQ(accelerator_->Start(kSegment, In(1000)).error().code, ErrorCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Ways, RemoteAcceleratorTest,
                         ::testing::Values(Way{"SharedMemory", true, ""}, Way{"UnixFrames", false, ""},
                                           Way{"TcpFrames", false, "127.0.0.1:0"}, Way{"TcpShared", true, "[::1]:0"}),
                         [](const auto& way) { return way.param.name; });

TEST(RemoteAccelerator, NobodyThereIsUnavailableAndNamed) {
  Result<std::unique_ptr<RemoteAccelerator>> made = RemoteAccelerator::Connect({.address = "unix:/nonexistent/socket"});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(made.error().message, HasSubstr("unix:/nonexistent/socket"));
}

TEST(RemoteAccelerator, ARegionThatTheWorkerCannotMapFallsBackToFrames) {
  TestFolder elsewhere;
  ServerOptions options;
  options.session.shared_directory = elsewhere.path();  // as in another container: the name means nothing there
  TestWorker worker(options);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  EXPECT_TRUE(accelerator->info().shares_memory);
  ASSERT_TRUE(Load(*accelerator).ok());
  EXPECT_FALSE(accelerator->info().shares_memory);
  Tensor x = Ramp({kRows, kWidth});
  EXPECT_EQ(RunOnce(*accelerator, x).value(), Expected(x));
}

TEST(RemoteAccelerator, TheSharedFileIsGoneOnceBothHaveIt) {
  TestFolder folder;
  ServerOptions options;
  options.session.shared_directory = folder.path();
  TestWorker worker(options);
  RemoteAcceleratorOptions client = worker.client();
  client.shared_directory = folder.path();
  auto accelerator = RemoteAccelerator::Connect(client).value();
  ASSERT_TRUE(Load(*accelerator).ok());
  EXPECT_TRUE(accelerator->info().shares_memory);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace soter::testing
