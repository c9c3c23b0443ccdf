#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/report/markup.h"
#include "tools/report/plot.h"

// What the plots share: the frame, the axes and the marks.
namespace soter::report {

// Extent is the span of the data along one axis.
struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void Add(double value, Scale scale);  // leaves out what the scale cannot show
  bool empty() const { return low > high; }
};

// Ticks are where an axis is labelled, first and last at its ends.
struct Ticks {
  Scale scale = Scale::kLinear;
  double from = 0, to = 1;
  std::vector<double> values;
};

// MakeTicks chooses round numbers (1, 2 and 5 times powers of ten) that cover `extent` and what `axis` asks for.
Ticks MakeTicks(const Axis& axis, Extent extent);

// TickText writes a tick or a bar's value with three significant digits, 1.2e+06 style beyond a million.
std::string TickText(double value);

enum class Anchor : uint8_t { kStart, kMiddle, kEnd };

// Canvas draws in data coordinates once its axes are set, in pixels before.
class Canvas {
 public:
  Canvas(const std::string& title, const std::string& description);

  void SetAxes(Ticks x, Ticks y) { x_ = std::move(x), y_ = std::move(y); }
  double X(double value) const;
  double Y(double value) const;
  bool Shows(double x, double y) const;

  void DrawYAxis(const std::string& label);
  void DrawXAxis(const std::string& label);
  void DrawGroupName(double pixel, double width, const std::string& name);
  void DrawXLabel(const std::string& label);
  void DrawReference(std::optional<double> value);
  void DrawLegend(const std::vector<std::string>& names);
  void DrawErrorBar(double x_pixel, const Range& range, size_t series);
  void DrawMarker(double x_pixel, double y_pixel, size_t series, const std::string& tooltip);
  void DrawPath(const std::vector<std::pair<double, double>>& pixels, size_t series, std::string_view kind);
  void DrawBar(double left, double width, double value, size_t series, const std::string& tooltip);
  void DrawText(double x, double y, const std::string& text, Anchor anchor, std::string_view style);
  void DrawNoData();

  Svg Take() &&;

  static constexpr double kWidth = 760, kHeight = 400, kLeft = 68, kRight = 620, kTop = 74, kBottom = 330;
  static constexpr double kWideRight = 744;  // where no names stand at the right
  void UseWholeWidth() { right_ = kWideRight; }
  double right() const { return right_; }

 private:
  Markup svg_;
  Ticks x_, y_;
  double right_ = kRight;
};

}  // namespace soter::report
