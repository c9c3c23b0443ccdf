#include "common/compute/tuning_cache.h"

#include <cpuid.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "common/base/file.h"
#include "common/compute/onednn.h"

namespace soter::compute {

namespace {

constexpr std::string_view kFirstLine = "soter tuning 2\n";
constexpr size_t kRecordBytes = 28;  // 16 hexadecimal digits, a space, a digit, a space, 8 digits, a line feed

// Hash is FNV-1a. Two descriptions that share a hash share a choice, which costs time only.
uint64_t Hash(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

// Machine names what a measurement depends on beside its description: the processor and the library.
std::string Machine() {
  unsigned words[12] = {};
  for (unsigned leaf = 0; leaf < 3; ++leaf) {
    unsigned* w = words + 4 * leaf;
    __get_cpuid(0x80000002 + leaf, &w[0], &w[1], &w[2], &w[3]);
  }
  std::string name(sizeof(words), '\0');
  std::memcpy(name.data(), words, sizeof(words));
  const dnnl_version_t* version = dnnl_version();
  return name + " oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch) + " ";
}

uint64_t KeyOf(const std::string& description) {
  static const std::string machine = Machine();
  return Hash(machine + description);
}

// ReadField reads a number that takes up all of `text`.
template <typename T>
bool ReadField(std::string_view text, int base, T& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

TunedChoices ReadChoices(const std::string& path) {
  Result<SecretBytes> bytes = ReadFile(path, kFirstLine.size() + TuningCache::kMaxRecords * kRecordBytes);
  if (!bytes.ok()) return {};
  std::span<const std::byte> text = bytes->Expose();
  Result<TunedChoices> choices =
      DecodeTuning({reinterpret_cast<const char*>(text.data()), text.size()});
  return choices.ok() ? std::move(choices).value() : TunedChoices();
}

Status WriteChoices(const std::string& path, const TunedChoices& choices) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  OutputFile file = TRY(OutputFile::Create(path, 0600));
  const std::string text = EncodeTuning(choices);
  TRY(file.Write(std::as_bytes(std::span(text))));
  return file.Commit();
}

}  // namespace

TuningCache& TuningCache::OfProcess() {
  static TuningCache cache;
  return cache;
}

void TuningCache::Attach(std::string path) {
  std::lock_guard lock(mutex_);
  path_ = std::move(path);
  choices_.merge(ReadChoices(path_));
}

TunedChoice TuningCache::Choose(const std::string& description, uint32_t count,
                                const std::function<TunedChoice()>& measure) {
  uint64_t key = KeyOf(description);
  {
    std::lock_guard lock(mutex_);
    auto found = choices_.find(key);
    if (found != choices_.end() && found->second.index < count) return found->second;
  }
  TunedChoice choice = measure();
  std::lock_guard lock(mutex_);
  if (choices_.size() >= kMaxRecords) choices_.clear();
  choices_[key] = choice;
  is_new_ = true;
  return choice;
}

void TuningCache::Keep() {
  std::lock_guard lock(mutex_);
  if (path_.empty() || !is_new_) return;
  is_new_ = false;
  TunedChoices all = choices_;
  all.merge(ReadChoices(path_));  // another process may have measured meanwhile
  while (all.size() > kMaxRecords) all.erase(all.begin());
  [[maybe_unused]] Status written = WriteChoices(path_, all);
}

Result<TunedChoices> DecodeTuning(std::string_view text) {
  if (!text.starts_with(kFirstLine)) return Malformed("this is not a tuning file");
  text.remove_prefix(kFirstLine.size());
  if (text.size() % kRecordBytes != 0) return Malformed("a tuning file ends within a record");
  if (text.size() / kRecordBytes > TuningCache::kMaxRecords) return Malformed("a tuning file has too many records");
  TunedChoices choices;
  for (; !text.empty(); text.remove_prefix(kRecordBytes)) {
    uint64_t key = 0;
    TunedChoice choice;
    bool well_formed = ReadField(text.substr(0, 16), 16, key) && text[16] == ' ' &&
                       ReadField(text.substr(17, 1), 10, choice.index) && text[18] == ' ' &&
                       ReadField(text.substr(19, 8), 10, choice.gain_us) && text[27] == '\n';
    if (!well_formed) return Malformed("a tuning file has a record that is none");
    choices[key] = choice;
  }
  return choices;
}

std::string EncodeTuning(const TunedChoices& choices) {
  std::string text(kFirstLine);
  for (const auto& [key, choice] : choices) {
    CHECK(choice.index <= TuningCache::kMaxChoice, "a choice has one digit");
    CHECK(choice.gain_us <= TuningCache::kMaxGainUs, "a gain has eight digits");
    char record[kRecordBytes + 1];
    std::snprintf(record, sizeof(record), "%016llx %u %08u\n", static_cast<unsigned long long>(key), choice.index,
                  choice.gain_us);
    text += record;
  }
  return text;
}

std::optional<std::string> TuningFile() {
  const char* chosen = std::getenv("SOTER_TUNING_CACHE");
  if (chosen != nullptr && *chosen != '\0') {
    if (std::strcmp(chosen, "off") == 0) return std::nullopt;
    return chosen;
  }
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return std::string(cache) + "/soter/tuning";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.cache/soter/tuning";
  return std::nullopt;
}

}  // namespace soter::compute
