#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace soter {

// TerminalSafe replaces whatever could steer a terminal; `keep_lines` leaves line ends in.
enum class Lines : uint8_t { kKeep, kJoin };
std::string TerminalSafe(std::string_view text, Lines lines);

std::string FormatBytes(uint64_t bytes);          // "12.3 MB", decimal units
std::string FormatCount(int64_t count);           // "19.6 G"
std::string FormatMs(double ms);                  // "138.52 ms"
std::string FormatFixed(double value, int digits);

// Table lays out rows in columns; a column is as wide as its widest cell.
class Table {
 public:
  enum class Align : uint8_t { kLeft, kRight };
  struct Column { std::string title; Align align = Align::kLeft; };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void AddRow(std::vector<std::string> cells);
  std::string Text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace soter
