#pragma once

#include <string>
#include <vector>

#include "tools/report/markup.h"
#include "tools/report/plot.h"

namespace soter::report {

// Column is one of a DataTable; numbers stand right.
struct Column {
  std::string title;
  bool is_number = false;
};

// DataTable is a table of text; a row may be shorter than the columns.
struct DataTable {
  std::string caption;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
};

// Page is one HTML file that needs nothing else: no script, no font, no address that is fetched (its own policy
// forbids that). It is well-formed XML too. All text is escaped; it follows the reader's light or dark setting.
class Page {
 public:
  explicit Page(std::string title) : title_(std::move(title)) {}

  void Heading(const std::string& text);        // also listed at the top of the page
  void Paragraph(const std::string& text);
  void Note(const std::string& text);           // set apart: what the reader must know to read the figures rightly
  void Add(const DataTable& table);
  void Figure(const Svg& plot, const std::string& caption);

  std::string Html() const;

 private:
  std::string title_;
  std::vector<std::string> headings_;
  Markup body_;
};

}  // namespace soter::report
