// What `soter worker --record` writes is byte for byte what was sent, and what was answered.

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/wire/test_worker.h"

namespace soter::testing {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Body is a NumPy file without its header, whose end its own length field tells.
std::vector<float> Body(const std::string& path) {
  std::string file = ReadAll(path);
  if (file.size() < 10 || !file.starts_with("\x93NUMPY")) return {};
  size_t header = 10 + static_cast<uint8_t>(file[8]) + 256 * static_cast<uint8_t>(file[9]);
  EXPECT_EQ(header % 64, 0u);
  return Floats(std::as_bytes(std::span(file).subspan(header)));
}

class RecorderTest : public ::testing::TestWithParam<bool> {};

TEST_P(RecorderTest, WritesDownWhatCrossed) {
  TestFolder folder;
  std::unique_ptr<Recorder> recorder = Recorder::Open(folder.path()).value();
  ServerOptions options{.one_at_a_time = true};
  options.session.recorder = recorder.get();
  if (!GetParam()) options.session.shared_directory.clear();
  TestWorker worker(options);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  ASSERT_TRUE(Load(*accelerator).ok());
  Tensor x = Ramp({kRows, kWidth});
  ASSERT_TRUE(RunOnce(*accelerator, x).ok());
  std::vector<float> both = RunOnce(*accelerator, x).value();
  auto middle = both.begin() + static_cast<ptrdiff_t>(both.size() / 2);

  EXPECT_EQ(Body(folder.path() + "/weights/7.npy"), Floats(Ramp({kWidth, kWidth}).bytes()));
  EXPECT_NE(ReadAll(folder.path() + "/weights/7.npy").find("'shape': (4, 4)"), std::string::npos);
  for (const char* run : {"/runs/0-segment-0", "/runs/1-segment-0"}) {
    std::string place = folder.path() + run;
    EXPECT_EQ(Body(place + "/input-0.npy"), Floats(x.bytes()));
    EXPECT_EQ(Body(place + "/output-0.npy"), std::vector<float>(both.begin(), middle));
    EXPECT_EQ(Body(place + "/output-1.npy"), std::vector<float>(middle, both.end()));
  }
  std::string segment = ReadAll(folder.path() + "/segments/0/segment.json");
  EXPECT_NE(segment.find("\"shape\": [3, 4], \"layout\": \"dense\""), std::string::npos) << segment;
  EXPECT_NE(ReadAll(folder.path() + "/segments/0/graph.txt").find("Linear"), std::string::npos);
  EXPECT_TRUE(ReadAll(folder.path() + "/segments/0/graph.bin").starts_with("SOTERGR1"));
}

INSTANTIATE_TEST_SUITE_P(Ways, RecorderTest, ::testing::Bool(),
                         [](const auto& shared) { return shared.param ? "SharedMemory" : "Frames"; });

// EventNames lists what events.jsonl says happened, in order; the times must not run backwards.
std::vector<std::string> EventNames(const std::string& folder) {
  std::vector<std::string> names;
  long long before = 0;
  std::ifstream file(folder + "/events.jsonl");
  for (std::string line; std::getline(file, line);) {
    long long time = -1;
    char name[32] = "";
    EXPECT_EQ(std::sscanf(line.c_str(), "{\"time_ns\": %lld, \"event\": \"%31[a-z]\"", &time, name), 2) << line;
    EXPECT_GE(time, before);
    before = time;
    names.push_back(name);
  }
  return names;
}

TEST(Recorder, KeepsTheOrderAndTheTimes) {
  TestFolder folder;
  std::unique_ptr<Recorder> recorder = Recorder::Open(folder.path()).value();
  ServerOptions options{.one_at_a_time = true};
  options.session.recorder = recorder.get();
  TestWorker worker(options);
  auto accelerator = RemoteAccelerator::Connect(worker.client()).value();
  ASSERT_TRUE(Load(*accelerator).ok());
  ASSERT_TRUE(RunOnce(*accelerator, Ramp({kRows, kWidth})).ok());
  EXPECT_EQ(EventNames(folder.path()),
            (std::vector<std::string>{"recording", "weight", "segment", "run", "input", "output", "output"}));
}

TEST(Recorder, ADirectoryThatCannotBeMadeIsNamed) {
  Result<std::unique_ptr<Recorder>> recorder = Recorder::Open("/dev/null/record");
  ASSERT_FALSE(recorder.ok());
  EXPECT_EQ(recorder.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(recorder.error().message.find("/dev/null/record"), std::string::npos);
}

}  // namespace
}  // namespace soter::testing
