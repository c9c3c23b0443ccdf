#include <algorithm>

#include "tools/report/canvas.h"

namespace soter::report {
namespace {

constexpr double kNameSpacing = 15;

struct EndName {
  double y;
  std::string name;
};

// Names at the ends of lines that meet are moved apart, downwards, and back up where they would leave the frame.
void MoveApart(std::vector<EndName>& names) {
  std::sort(names.begin(), names.end(), [](const EndName& a, const EndName& b) { return a.y < b.y; });
  for (size_t i = 1; i < names.size(); ++i) names[i].y = std::max(names[i].y, names[i - 1].y + kNameSpacing);
  if (names.empty() || names.back().y <= Canvas::kBottom) return;
  names.back().y = Canvas::kBottom;
  for (size_t i = names.size() - 1; i-- > 0;) names[i].y = std::min(names[i].y, names[i + 1].y - kNameSpacing);
}

void AddExtents(const LinePlot& plot, Extent& x, Extent& y) {
  for (const Series& series : plot.series)
    for (const Point& point : series.points) {
      x.Add(point.x, plot.x.scale);
      y.Add(point.y, plot.y.scale);
      if (point.error.has_value()) y.Add(point.error->low, plot.y.scale), y.Add(point.error->high, plot.y.scale);
    }
  if (plot.reference.has_value()) y.Add(*plot.reference, plot.y.scale);
}

std::string Tooltip(const Series& series, const Point& point) {
  std::string text = series.name + ": " + TickText(point.x) + ", " + TickText(point.y);
  if (point.error.has_value()) text += " (" + TickText(point.error->low) + " to " + TickText(point.error->high) + ")";
  return text;
}

// Draws one series; returns where its name goes.
std::optional<double> DrawSeries(Canvas& canvas, const Series& series, size_t index) {
  std::vector<std::pair<double, double>> pixels;
  for (const Point& point : series.points)
    if (canvas.Shows(point.x, point.y)) pixels.emplace_back(canvas.X(point.x), canvas.Y(point.y));
  if (series.joined) canvas.DrawPath(pixels, index, "line");
  for (const Point& point : series.points) {
    if (!canvas.Shows(point.x, point.y)) continue;
    if (point.error.has_value()) canvas.DrawErrorBar(canvas.X(point.x), *point.error, index);
    canvas.DrawMarker(canvas.X(point.x), canvas.Y(point.y), index, Tooltip(series, point));
  }
  if (pixels.empty()) return std::nullopt;
  return std::max_element(pixels.begin(), pixels.end())->second;
}

}  // namespace

Svg Draw(const LinePlot& plot) {
  Canvas canvas(plot.title, plot.description);
  Extent x, y;
  AddExtents(plot, x, y);
  Axis from_zero = plot.y;
  if (plot.y.scale == Scale::kLinear && !plot.y.from.has_value() && y.low > 0) from_zero.from = 0;
  canvas.SetAxes(MakeTicks(plot.x, x), MakeTicks(from_zero, y));
  canvas.DrawYAxis(plot.y.label);
  canvas.DrawXAxis(plot.x.label);
  canvas.DrawReference(plot.reference);
  if (x.empty() || y.empty()) canvas.DrawNoData();
  std::vector<EndName> names;
  std::vector<std::string> legend;
  for (size_t i = 0; i < plot.series.size(); ++i) {
    std::optional<double> end = DrawSeries(canvas, plot.series[i], i);
    if (end.has_value()) names.push_back({*end, plot.series[i].name});
    legend.push_back(plot.series[i].name);
  }
  if (plot.series.size() > 1) canvas.DrawLegend(legend);
  MoveApart(names);
  for (const EndName& name : names) canvas.DrawText(canvas.right() + 10, name.y + 4, name.name, Anchor::kStart, "name");
  return std::move(canvas).Take();
}

}  // namespace soter::report
