#include "tools/report/csv.h"

#include <charconv>
#include <cmath>

#include "common/base/check.h"

namespace soter::report {
namespace {

// OWASP, "CSV injection".
bool LooksLikeFormula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

std::string Quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

}  // namespace

std::string Shortest(double value) {
  if (!std::isfinite(value)) return "";
  char buffer[32];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof(buffer), value).ptr);
}

Csv::Csv(std::vector<std::string> columns) : column_count_(columns.size()) {
  for (const std::string& column : columns) Add(column);
  EndRow();
}

Csv& Csv::Add(std::string_view text) {
  return AddRaw(Quoted(LooksLikeFormula(text) ? "'" + std::string(text) : std::string(text)));
}

Csv& Csv::AddRaw(std::string_view cell) {
  if (cells_++ > 0) text_ += ',';
  text_ += cell;
  return *this;
}

void Csv::EndRow() {
  CHECK(cells_ == column_count_, "a row has one cell for each column");
  text_ += '\n';
  cells_ = 0;
}

}  // namespace soter::report
