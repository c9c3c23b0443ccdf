#pragma once

#include <optional>
#include <string>
#include <vector>

// Plots as SVG: one file each, or inside a Page. Colours are told apart by the colour-blind (Okabe and Ito 2008) and
// follow the reader's light or dark setting; lines also differ by marker and dash. A screen reader gets the title and
// the description. What is not finite, or not positive on a logarithmic axis, is left out; a plot without any data
// says so.
namespace soter::report {

enum class Scale : uint8_t { kLinear, kLog };

struct Axis {
  std::string label;               // with its unit
  Scale scale = Scale::kLinear;
  std::optional<double> from, to;  // else what the data needs; linear axes of bars and lines begin at 0
};

// Range is an error bar.
struct Range { double low, high; };

struct Point {
  double x, y;
  std::optional<Range> error = {};
};

struct Series {
  std::string name;
  std::vector<Point> points;
  bool joined = true;  // false: a scatter of markers
};

// LinePlot writes each series' name at the end of its line.
struct LinePlot {
  std::string title, description;
  Axis x, y;
  std::vector<Series> series;
  std::optional<double> reference = {};  // a horizontal line, such as 1x or a target
};

struct Bar {
  double value;
  std::optional<Range> error = {};
};

struct BarSeries {
  std::string name;
  std::vector<std::optional<Bar>> bars;  // one for each group; nothing where it was not measured
};

// BarPlot has one group of bars for each name, one bar for each series in it, and the value above each bar.
struct BarPlot {
  std::string title, description;
  Axis y;
  std::vector<std::string> groups;
  std::vector<BarSeries> series;
  std::optional<double> reference = {};
};

struct Sample {
  std::string name;
  std::vector<double> values;
};

// Histogram shows how samples are distributed, as outlines over the same bins, each scaled to its share of its sample.
struct Histogram {
  std::string title, description;
  Axis x;
  std::vector<Sample> samples;
  size_t bin_count = 0;  // 0: by the rule of Freedman and Diaconis (1981), at most 100
};

// Svg is finished markup: whoever holds one need not escape it.
class Svg {
 public:
  const std::string& markup() const { return markup_; }
  // File is the same as a file of its own.
  std::string File() const { return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + markup_; }

 private:
  friend class Canvas;
  explicit Svg(std::string markup) : markup_(std::move(markup)) {}
  std::string markup_;
};

Svg Draw(const LinePlot& plot);
Svg Draw(const BarPlot& plot);
Svg Draw(const Histogram& plot);

}  // namespace soter::report
