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

// TuningCache remembers which of several algorithms, all of them right, was the fastest for a description on this
// machine; in memory, and in a file once it has one (docs/spec/tuning.md). The file is anybody's: whatever stands
// there can cost time and nothing else, since a choice is an index among candidates that the program itself made.
class TuningCache {
 public:
  static constexpr size_t kMaxRecords = 4096;
  static constexpr uint32_t kMaxChoice = 9;

  // OfProcess is what every Program of this process shares.
  static TuningCache& OfProcess();

  // Attach reads the choices of `path`, which need not exist, and writes new ones there from now on. A file that is
  // not well formed counts as empty and is replaced.
  void Attach(std::string path);

  // Choose returns the choice for `description`, below `count`; when there is none, `measure` makes it.
  uint32_t Choose(const std::string& description, uint32_t count, const std::function<uint32_t()>& measure);

  // Keep writes the file when there is one and a choice is new. What cannot be written is measured again next time.
  void Keep();

 private:
  using Choices = std::map<uint64_t, uint32_t>;

  std::mutex mutex_;
  Choices choices_;
  std::string path_;
  bool is_new_ = false;
};

// DecodeTuning reads what EncodeTuning wrote. Errors: kMalformed.
Result<std::map<uint64_t, uint32_t>> DecodeTuning(std::string_view text);
std::string EncodeTuning(const std::map<uint64_t, uint32_t>& choices);

// TuningFile says where this user's file is: SOTER_TUNING_CACHE, or soter/tuning in the cache directory
// (XDG_CACHE_HOME, else ~/.cache). Nothing when SOTER_TUNING_CACHE is "off", or when there is no such place, as
// inside SGX.
std::optional<std::string> TuningFile();

}  // namespace soter::compute
