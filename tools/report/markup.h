#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace soter::report {

// Escape makes `text` safe as XML or HTML text and inside a quoted attribute: the five characters with a meaning are
// written as references, and bytes that XML forbids (control characters, what is not UTF-8) become U+FFFD.
std::string Escape(std::string_view text);

// Number writes a coordinate or length with at most two decimals. `value` must be finite.
std::string Number(double value);

// Markup writes well-formed XML: it escapes all text and every attribute, and closes what it opened.
class Markup {
 public:
  using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

  void Open(std::string_view element, Attributes attributes = {});
  void Close();                                                    // the element that was opened last
  void Empty(std::string_view element, Attributes attributes = {});
  void Text(std::string_view text);
  void Line(std::string_view element, std::string_view text, Attributes attributes = {});  // Open, Text, Close
  // Raw adds markup that another Markup made, or a style sheet.
  void Raw(std::string_view markup) { text_ += markup; }

  // Take returns what was written. Everything must be closed.
  std::string Take() &&;

 private:
  void Start(std::string_view element, Attributes attributes);

  std::string text_;
  std::string open_;  // the names of the open elements, each followed by a '/'
};

}  // namespace soter::report
