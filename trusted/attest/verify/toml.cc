#include "trusted/attest/verify/toml.h"

#include <charconv>

namespace soter {
namespace {

bool IsBareKeyChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

class TomlParser {
 public:
  explicit TomlParser(std::string_view text) : text_(text) {}

  Result<TomlFile> Parse() {
    TomlFile file;
    std::string table;
    file[table];
    for (SkipBlankLines(); !AtEnd(); SkipBlankLines()) {
      if (Accept('[')) {
        table = TRY(ParseTableName());
        if (!file.try_emplace(table).second) return Fail("table [" + table + "] is here twice");
      } else {
        int line = line_;
        std::string key = TRY(ParseBareKey());
        SkipSpaces();
        if (!Accept('=')) return Fail("expected = after a key");
        SkipSpaces();
        auto value = TRY(ParseValue());
        TRY(file[table].Add(key, {line, std::move(value)}));
      }
      TRY(ExpectLineEnd());
    }
    return file;
  }

 private:
  bool AtEnd() const { return position_ == text_.size(); }
  char Peek() const { return AtEnd() ? '\0' : text_[position_]; }
  bool Accept(char c) {
    if (Peek() != c || AtEnd()) return false;
    if (c == '\n') ++line_;
    ++position_;
    return true;
  }
  Error Fail(const std::string& message) const { return Malformed("line " + std::to_string(line_) + ": " + message); }

  void SkipSpaces() {
    while (Accept(' ') || Accept('\t')) continue;
  }
  void SkipComment() {
    if (Peek() == '#')
      while (!AtEnd() && Peek() != '\n') ++position_;
  }
  bool SkipNewline() {
    return Accept('\n') || (text_.substr(position_).starts_with("\r\n") && Accept('\r') && Accept('\n'));
  }
  void SkipBlankLines() {
    do {
      SkipSpaces();
      SkipComment();
    } while (SkipNewline());
  }
  Status ExpectLineEnd() {
    SkipSpaces();
    SkipComment();
    if (!AtEnd() && !SkipNewline()) return Fail("unexpected text at the end of the line");
    return {};
  }

  Result<std::string> ParseBareKey() {
    size_t start = position_;
    while (IsBareKeyChar(Peek())) ++position_;
    if (position_ == start) return Fail("expected a key of letters, digits, _ and -");
    return std::string(text_.substr(start, position_ - start));
  }

  Result<std::string> ParseTableName() {
    std::string name = TRY(ParseBareKey());
    while (Accept('.')) name += '.' + TRY(ParseBareKey());
    if (!Accept(']')) return Fail("expected ] after a table's name");
    return name;
  }

  Result<TomlTable::Value> ParseValue() {
    if (Peek() == '"') return TomlTable::Value(TRY(ParseString()));
    if (Accept('[')) return ParseArray();
    if (Peek() == '-' || (Peek() >= '0' && Peek() <= '9')) return TomlTable::Value(TRY(ParseInteger()));
    Result<std::string> word = ParseBareKey();
    if (!word.ok()) return std::move(word).error();
    if (*word != "true" && *word != "false") return Fail("not a value: " + *word + "; strings stand in quotes");
    return TomlTable::Value(*word == "true");
  }

  Result<std::string> ParseString() {
    std::string out;
    if (!Accept('"')) return Fail("expected a string");
    while (!Accept('"')) {
      char c = Peek();
      if (AtEnd() || static_cast<unsigned char>(c) < ' ') return Fail("a string has no end on its line");
      ++position_;
      if (c == '\\') c = TRY(ParseEscape());
      out += c;
    }
    return out;
  }

  Result<char> ParseEscape() {
    if (Accept('"')) return '"';
    if (Accept('\\')) return '\\';
    if (Accept('n')) return '\n';
    if (Accept('t')) return '\t';
    return Fail("unknown escape in a string");
  }

  Result<int64_t> ParseInteger() {
    size_t start = position_;
    Accept('-');
    size_t digits = position_;
    while (Peek() >= '0' && Peek() <= '9') ++position_;
    std::string_view text = text_.substr(start, position_ - start);
    int64_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    bool leading_zero = position_ - digits > 1 && text_[digits] == '0';
    if (error != std::errc() || end != text.data() + text.size() || leading_zero || IsBareKeyChar(Peek()) ||
        Peek() == '.')
      return Fail("not a decimal integer of 64 bits");
    return value;
  }

  Result<TomlTable::Value> ParseArray() {
    std::vector<std::string> strings;
    std::vector<int64_t> integers;
    for (SkipBlankLines(); !Accept(']'); SkipBlankLines()) {
      if (!strings.empty() + !integers.empty() > 0 && !comma_seen_) return Fail("expected , or ] in an array");
      if (Peek() == '"' && integers.empty()) {
        strings.push_back(TRY(ParseString()));
      } else if (Peek() != '"' && strings.empty()) {
        integers.push_back(TRY(ParseInteger()));
      } else {
        return Fail("an array mixes strings and integers");
      }
      SkipBlankLines();
      comma_seen_ = Accept(',');
    }
    comma_seen_ = false;
    if (!integers.empty()) return TomlTable::Value(std::move(integers));
    return TomlTable::Value(std::move(strings));
  }

  std::string_view text_;
  size_t position_ = 0;
  int line_ = 1;
  bool comma_seen_ = false;
};

}  // namespace

Status TomlTable::Add(const std::string& key, Entry entry) {
  int line = entry.line;
  if (!entries_.try_emplace(key, std::move(entry)).second)
    return Malformed("line " + std::to_string(line) + ": " + key + " is here twice");
  return {};
}

template <typename T>
Status TomlTable::Take(const char* key, const char* wanted, T& out) {
  auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  T* value = std::get_if<T>(&found->second.value);
  if (value == nullptr)
    return InvalidArgument("line " + std::to_string(found->second.line) + ": " + key + " takes " + wanted);
  out = std::move(*value);
  entries_.erase(found);
  return {};
}

Status TomlTable::TakeStrings(const char* key, std::vector<std::string>& out) {
  return Take(key, "an array of strings", out);
}

Status TomlTable::TakeIntegers(const char* key, std::vector<int64_t>& out) {
  // An empty array says nothing of its type, and is parsed as one of strings.
  auto found = entries_.find(key);
  if (found != entries_.end())
    if (auto* strings = std::get_if<std::vector<std::string>>(&found->second.value); strings && strings->empty())
      found->second.value = std::vector<int64_t>();
  return Take(key, "an array of integers", out);
}

Status TomlTable::ExpectEmpty() const {
  if (entries_.empty()) return {};
  const auto& [key, entry] = *entries_.begin();
  return InvalidArgument("line " + std::to_string(entry.line) + ": " + key + " is not a setting here");
}

template Status TomlTable::Take(const char*, const char*, bool&);
template Status TomlTable::Take(const char*, const char*, int64_t&);
template Status TomlTable::Take(const char*, const char*, std::string&);

Result<TomlFile> ParseToml(std::string_view text) { return TomlParser(text).Parse(); }

}  // namespace soter
