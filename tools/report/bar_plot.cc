#include <algorithm>
#include <cmath>

#include "tools/report/canvas.h"

namespace soter::report {
namespace {

constexpr double kGroupShare = 0.8;  // of a group's width that its bars take
constexpr double kMinLabelled = 17;  // pixels: values do not stand above narrower bars

bool CanShow(const Axis& axis, double value) { return std::isfinite(value) && (axis.scale == Scale::kLinear || value > 0); }

Extent ExtentOf(const BarPlot& plot) {
  Extent extent;
  if (plot.y.scale == Scale::kLinear) extent.Add(0, Scale::kLinear);
  for (const BarSeries& series : plot.series)
    for (const std::optional<Bar>& bar : series.bars) {
      if (!bar.has_value()) continue;
      extent.Add(bar->value, plot.y.scale);
      if (bar->error.has_value()) extent.Add(bar->error->low, plot.y.scale), extent.Add(bar->error->high, plot.y.scale);
    }
  if (plot.reference.has_value()) extent.Add(*plot.reference, plot.y.scale);
  return extent;
}

bool HasData(const BarPlot& plot) {
  return std::any_of(plot.series.begin(), plot.series.end(), [&](const BarSeries& series) {
    return std::any_of(series.bars.begin(), series.bars.end(), [&](const auto& bar) { return bar && CanShow(plot.y, bar->value); });
  });
}

void DrawGroup(Canvas& canvas, const BarPlot& plot, size_t group, double left, double width) {
  double bar_width = width * kGroupShare / static_cast<double>(plot.series.size());
  for (size_t i = 0; i < plot.series.size(); ++i) {
    const BarSeries& series = plot.series[i];
    if (group >= series.bars.size() || !series.bars[group].has_value() || !CanShow(plot.y, series.bars[group]->value)) continue;
    const Bar& bar = *series.bars[group];
    double x = left + width * (1 - kGroupShare) / 2 + bar_width * static_cast<double>(i);
    canvas.DrawBar(x, bar_width * 0.92, bar.value, i, plot.groups[group] + ", " + series.name + ": " + TickText(bar.value));
    if (bar.error.has_value()) canvas.DrawErrorBar(x + bar_width * 0.46, *bar.error, SIZE_MAX);
    double top = bar.error.has_value() ? std::max(bar.error->high, bar.value) : bar.value;
    if (bar_width >= kMinLabelled)
      canvas.DrawText(x + bar_width * 0.46, canvas.Y(std::max(top, 0.0)) - 5, TickText(bar.value), Anchor::kMiddle, "value");
  }
  canvas.DrawGroupName(left + width / 2, width, plot.groups[group]);
}

}  // namespace

Svg Draw(const BarPlot& plot) {
  Canvas canvas(plot.title, plot.description);
  canvas.UseWholeWidth();
  canvas.SetAxes({}, MakeTicks(plot.y, ExtentOf(plot)));
  canvas.DrawYAxis(plot.y.label);
  if (!HasData(plot)) canvas.DrawNoData();
  std::vector<std::string> names;
  for (const BarSeries& series : plot.series) names.push_back(series.name);
  canvas.DrawLegend(names);
  double width = (canvas.right() - Canvas::kLeft) / static_cast<double>(std::max<size_t>(plot.groups.size(), 1));
  for (size_t group = 0; group < plot.groups.size() && !plot.series.empty(); ++group)
    DrawGroup(canvas, plot, group, Canvas::kLeft + width * static_cast<double>(group), width);
  canvas.DrawReference(plot.reference);
  canvas.DrawXLabel("");
  return std::move(canvas).Take();
}

}  // namespace soter::report
