#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace soter::report {

// Shortest writes the shortest decimal number that reads back as `value`; nothing where it is not finite.
std::string Shortest(double value);

// Csv lays out rows as comma-separated values (RFC 4180, lines end with LF): a cell with a comma, a quote or a line
// end is quoted. A text cell that a spreadsheet would take for a formula gets a leading apostrophe.
class Csv {
 public:
  explicit Csv(std::vector<std::string> columns);

  Csv& Add(std::string_view text);
  Csv& Add(double number) { return AddRaw(Shortest(number)); }
  Csv& Add(int64_t number) { return AddRaw(std::to_string(number)); }
  // EndRow ends a row, which must have one cell for each column.
  void EndRow();

  const std::string& text() const { return text_; }

 private:
  Csv& AddRaw(std::string_view cell);

  size_t column_count_, cells_ = 0;
  std::string text_;
};

}  // namespace soter::report
