#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.h"

namespace soter {

// TomlTable holds one table of a TOML file. Taking a key removes it, so what is left at the end was not understood.
class TomlTable {
 public:
  using Value = std::variant<bool, int64_t, std::string, std::vector<std::string>, std::vector<int64_t>>;
  struct Entry {
    int line;
    Value value;
  };

  // Add puts a key in. Errors: kMalformed (it is there already).
  Status Add(const std::string& key, Entry entry);

  bool Has(const char* key) const { return entries_.contains(key); }

  // Each Take* writes the key's value to `out` and removes the key; an absent key leaves `out` as it is.
  // Errors: kInvalidArgument (the value is of another type).
  Status TakeBool(const char* key, bool& out) { return Take(key, "true or false", out); }
  Status TakeInteger(const char* key, int64_t& out) { return Take(key, "an integer", out); }
  Status TakeString(const char* key, std::string& out) { return Take(key, "a string", out); }
  Status TakeStrings(const char* key, std::vector<std::string>& out);
  Status TakeIntegers(const char* key, std::vector<int64_t>& out);

  // ExpectEmpty succeeds when every key was taken. Errors: kInvalidArgument (names the first that was not).
  Status ExpectEmpty() const;

 private:
  template <typename T>
  Status Take(const char* key, const char* wanted, T& out);
  std::map<std::string, Entry> entries_;
};

// TomlFile maps the name of each table to it; keys before the first header are in table "".
using TomlFile = std::map<std::string, TomlTable>;

// ParseToml reads a strict part of TOML 1.0: comments, [tables] and [dotted.tables], bare keys, basic strings with
// the escapes \" \\ \n \t, decimal integers, booleans, and arrays of strings or of integers, over several lines
// where need be. The rest of TOML (floats, dates, inline tables, dotted keys, ...) is refused by line.
// Errors: kMalformed (names the line).
Result<TomlFile> ParseToml(std::string_view text);

}  // namespace soter
