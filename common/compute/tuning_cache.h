#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace soter::compute {

// TunedChoice is the fastest of several algorithms and how long a run it saves beside the first of them.
struct TunedChoice {
  uint32_t index = 0;
  uint32_t gain_us = 0;
  bool operator==(const TunedChoice&) const = default;
};
using TunedChoices = std::map<uint64_t, TunedChoice>;  // by hash of what was measured

// TuningCache remembers which of several algorithms, all of them right, was the fastest for a description on this
// machine; in memory, and in a file once it has one (docs/spec/tuning.md). The file is anybody's: whatever stands
// there can cost time and nothing else, since a choice is an index among candidates that the program itself made.
class TuningCache {
 public:
  static constexpr size_t kMaxRecords = 4096;
  static constexpr uint32_t kMaxChoice = 9;
  static constexpr uint32_t kMaxGainUs = 99'999'999;

  // OfProcess is what every Program of this process shares.
  static TuningCache& OfProcess();

  // Attach reads the choices of `path`, which need not exist, and writes new ones there from now on. A file that is
  // not well formed counts as empty and is replaced.
  void Attach(std::string path);

  // Choose returns the choice for `description`, below `count`; when there is none, `measure` makes it.
  TunedChoice Choose(const std::string& description, uint32_t count, const std::function<TunedChoice()>& measure);

  // Keep writes the file when there is one and a choice is new. What cannot be written is measured again next time.
  void Keep();

 private:
  std::mutex mutex_;
  TunedChoices choices_;
  std::string path_;
  bool is_new_ = false;
};

// DecodeTuning reads what EncodeTuning wrote. Errors: kMalformed.
Result<TunedChoices> DecodeTuning(std::string_view text);
std::string EncodeTuning(const TunedChoices& choices);

// TuningFile says where this user's file is: SOTER_TUNING_CACHE, or soter/tuning in the cache directory
// (XDG_CACHE_HOME, else ~/.cache). Nothing when SOTER_TUNING_CACHE is "off", or when there is no such place, as
// inside SGX.
std::optional<std::string> TuningFile();

}  // namespace soter::compute
