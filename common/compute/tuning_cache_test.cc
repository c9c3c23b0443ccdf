#include "common/compute/tuning_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace soter::compute {
namespace {

constexpr TunedChoice kSecond{1, 250};

TunedChoice MeasureSecond() { return kSecond; }

class TuningFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "soter-tuning-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    directory_ = name;
    path_ = directory_ + "/deeper/tuning";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  void Write(const std::string& text) {
    std::filesystem::create_directories(directory_ + "/deeper");
    std::ofstream(path_, std::ios::binary) << text;
  }
  std::string Read() {
    std::ostringstream text;
    text << std::ifstream(path_, std::ios::binary).rdbuf();
    return text.str();
  }

  std::string directory_, path_;
};

TunedChoice MustNotMeasure() {
  ADD_FAILURE() << "measured again";
  return {};
}

TEST(Tuning, DecodesWhatWasEncoded) {
  TunedChoices choices = {{0, {0, 0}}, {0x0123456789abcdef, {1, 1234}}, {UINT64_MAX, {9, 99'999'999}}};
  Result<TunedChoices> decoded = DecodeTuning(EncodeTuning(choices));
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(*decoded, choices);
}

TEST(Tuning, EveryTruncationAndEveryOtherByteIsRefusedOrStillWellFormed) {
  const std::string text = EncodeTuning({{0x0123456789abcdef, {1, 77}}, {7, {0, 0}}});
  for (size_t size = 0; size < text.size(); ++size) {
    bool whole_records = size >= 15 && (size - 15) % 28 == 0;
    EXPECT_EQ(DecodeTuning(text.substr(0, size)).ok(), whole_records) << size;
  }
  for (size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string other = text;
      other[at] = static_cast<char>(byte);
      Result<TunedChoices> decoded = DecodeTuning(other);
      if (!decoded.ok()) continue;
      for (const auto& [key, choice] : *decoded) EXPECT_LE(choice.index, TuningCache::kMaxChoice);
    }
  }
}

TEST(Tuning, TooManyRecordsAreRefused) {
  std::string text = "soter tuning 2\n";
  for (size_t i = 0; i <= TuningCache::kMaxRecords; ++i) text += "0000000000000000 1 00000000\n";
  EXPECT_FALSE(DecodeTuning(text).ok());
}

TEST(Tuning, MeasuresOnce) {
  TuningCache cache;
  EXPECT_EQ(cache.Choose("a", 2, MeasureSecond), kSecond);
  EXPECT_EQ(cache.Choose("a", 2, MustNotMeasure), kSecond);
}

TEST(Tuning, AChoiceThatIsNoCandidateIsMeasuredAgain) {
  TuningCache cache;
  EXPECT_EQ(cache.Choose("a", 3, [] { return TunedChoice{2, 5}; }).index, 2u);
  EXPECT_EQ(cache.Choose("a", 2, MeasureSecond), kSecond);
}

TEST_F(TuningFileTest, WithoutAFileNothingIsWritten) {
  TuningCache cache;
  cache.Choose("a", 2, MeasureSecond);
  cache.Keep();
  EXPECT_TRUE(std::filesystem::is_empty(directory_));
}

TEST_F(TuningFileTest, TheNextProcessFindsTheChoice) {
  TuningCache first;
  first.Attach(path_);
  first.Choose("a", 2, MeasureSecond);
  first.Keep();
  TuningCache second;
  second.Attach(path_);
  EXPECT_EQ(second.Choose("a", 2, MustNotMeasure), kSecond);
}

TEST_F(TuningFileTest, ChoicesOfTwoProcessesAreBothKept) {
  TuningCache first, second;
  first.Attach(path_);
  second.Attach(path_);
  first.Choose("a", 2, MeasureSecond);
  second.Choose("b", 2, MeasureSecond);
  first.Keep();
  second.Keep();
  TuningCache third;
  third.Attach(path_);
  EXPECT_EQ(third.Choose("a", 2, MustNotMeasure), kSecond);
  EXPECT_EQ(third.Choose("b", 2, MustNotMeasure), kSecond);
}

TEST_F(TuningFileTest, ChoicesOfAnotherMachineAreNotUsedAndStay) {
  // What another processor measured stands under other keys, since its brand is part of them.
  const TunedChoices of_another{{0x0123456789abcdef, {0, 0}}, {UINT64_MAX, {9, 1}}};
  Write(EncodeTuning(of_another));
  TuningCache cache;
  cache.Attach(path_);
  EXPECT_EQ(cache.Choose("a", 2, MeasureSecond), kSecond);
  cache.Keep();
  TunedChoices kept = DecodeTuning(Read()).value();
  EXPECT_EQ(kept.size(), of_another.size() + 1);
  for (const auto& [key, choice] : of_another) EXPECT_EQ(kept.at(key), choice);
}

TEST_F(TuningFileTest, ManyProcessesAtOnceLeaveAWellFormedFile) {
  constexpr int kProcesses = 6;
  for (int i = 0; i < kProcesses; ++i) {
    if (::fork() != 0) continue;
    for (int round = 0; round < 20; ++round) {
      TuningCache cache;
      cache.Attach(path_);
      cache.Choose(std::to_string(i) + " " + std::to_string(round), 2, MeasureSecond);
      cache.Keep();
    }
    ::_exit(0);
  }
  for (int i = 0; i < kProcesses; ++i) {
    int status = -1;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_EQ(status, 0);
  }
  Result<TunedChoices> kept = DecodeTuning(Read());
  ASSERT_TRUE(kept.ok());  // a choice may be lost to another process's write, never garbled
  EXPECT_GE(kept->size(), 1u);
  for (const auto& [key, choice] : *kept) EXPECT_EQ(choice, kSecond);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_ + "/deeper"), {}), 1) << "no leftovers";
}

TEST_F(TuningFileTest, AFileThatIsNoneCountsAsEmptyAndIsReplaced) {
  for (const std::string& text : {std::string(), std::string("rubbish"), std::string(1 << 20, '0'),
                                  std::string("soter tuning 2\n0123456789abcdef 1"),
                                  std::string("soter tuning 1\n0123456789abcdef 1\n")}) {
    Write(text);
    TuningCache cache;
    cache.Attach(path_);
    EXPECT_EQ(cache.Choose("a", 2, MeasureSecond), kSecond);
    cache.Keep();
    Result<TunedChoices> kept = DecodeTuning(Read());
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(kept->size(), 1u);
  }
}

TEST_F(TuningFileTest, APlaceThatCannotBeWrittenIsNoError) {
  Write("");
  TuningCache cache;
  cache.Attach(path_ + "/below-a-file");
  EXPECT_EQ(cache.Choose("a", 2, MeasureSecond), kSecond);
  cache.Keep();
  EXPECT_EQ(Read(), "");
}

TEST(TuningPlace, IsChosenByTheEnvironment) {
  ::setenv("HOME", "/users/somebody", 1);
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("SOTER_TUNING_CACHE");
  EXPECT_EQ(TuningFile(), "/users/somebody/.cache/soter/tuning");
  ::setenv("XDG_CACHE_HOME", "/caches", 1);
  EXPECT_EQ(TuningFile(), "/caches/soter/tuning");
  ::setenv("SOTER_TUNING_CACHE", "/elsewhere", 1);
  EXPECT_EQ(TuningFile(), "/elsewhere");
  ::setenv("SOTER_TUNING_CACHE", "off", 1);
  EXPECT_EQ(TuningFile(), std::nullopt);
  ::unsetenv("SOTER_TUNING_CACHE");
  ::unsetenv("XDG_CACHE_HOME");
  ::unsetenv("HOME");
  EXPECT_EQ(TuningFile(), std::nullopt);
}

}  // namespace
}  // namespace soter::compute
