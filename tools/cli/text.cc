#include "tools/cli/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/base/check.h"

namespace soter {

namespace {

std::string Scaled(double value, const std::array<const char*, 5>& units) {
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  std::string number = unit == 0 ? FormatFixed(value, 0) : FormatFixed(value, value < 10 ? 2 : 1);
  return number + " " + units[unit];
}

}  // namespace

std::string TerminalSafe(std::string_view text, Lines lines) {
  std::string safe(text);
  while (safe.ends_with('\n')) safe.pop_back();
  for (char& c : safe) {
    if (c == '\n' && lines == Lines::kKeep) continue;
    auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7f) c = c == '\n' ? ' ' : '?';  // UTF-8 passes: names may hold it
  }
  return safe;
}

std::string FormatFixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

std::string FormatBytes(uint64_t bytes) {
  return Scaled(static_cast<double>(bytes), {"B", "kB", "MB", "GB", "TB"});
}

std::string FormatCount(int64_t count) { return Scaled(static_cast<double>(count), {"", "k", "M", "G", "T"}); }

std::string FormatMs(double ms) { return FormatFixed(ms, ms < 10 ? 3 : 2) + " ms"; }

void Table::AddRow(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size(), "a row has one cell for each column");
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<size_t> widths;
  std::vector<std::string> titles;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = columns_[c].title.size();
    for (const auto& row : rows_) width = std::max(width, row[c].size());
    widths.push_back(width);
    titles.push_back(columns_[c].title);
  }
  std::string text;
  auto add_line = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      std::string padding(widths[c] - cells[c].size(), ' ');
      line += columns_[c].align == Align::kRight ? padding + cells[c] : cells[c] + padding;
      line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  add_line(titles);
  for (const auto& row : rows_) add_line(row);
  return text;
}

}  // namespace soter
