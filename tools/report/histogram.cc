#include <algorithm>
#include <cmath>

#include "tools/report/canvas.h"

namespace soter::report {
namespace {

constexpr size_t kMaxBins = 100, kFewBins = 10;

double Position(Scale scale, double value) { return scale == Scale::kLog ? std::log(value) : value; }

// Freedman and Diaconis (1981): 2 IQR / cbrt(n), for the largest sample.
size_t ChooseBins(const Histogram& plot, double low, double high) {
  std::vector<double> sorted;
  for (const Sample& sample : plot.samples)
    if (sample.values.size() > sorted.size()) sorted = sample.values;
  std::erase_if(sorted, [&](double value) { return !std::isfinite(value) || (plot.x.scale == Scale::kLog && value <= 0); });
  if (sorted.size() < 4) return kFewBins;
  for (double& value : sorted) value = Position(plot.x.scale, value);
  std::sort(sorted.begin(), sorted.end());
  double spread = sorted[sorted.size() * 3 / 4] - sorted[sorted.size() / 4];
  double width = 2 * spread / std::cbrt(static_cast<double>(sorted.size()));
  if (!(width > 0)) return kMaxBins;
  return static_cast<size_t>(std::clamp(std::ceil((high - low) / width), double{kFewBins}, double{kMaxBins}));
}

// The share of `sample` in each bin.
std::vector<double> Shares(const Sample& sample, Scale scale, double low, double high, size_t bins) {
  std::vector<double> shares(bins, 0);
  size_t counted = 0;
  for (double value : sample.values) {
    if (!std::isfinite(value) || (scale == Scale::kLog && value <= 0)) continue;
    double place = (Position(scale, value) - low) / (high - low) * static_cast<double>(bins);
    if (place < 0 || place > static_cast<double>(bins)) continue;
    ++shares[std::min(static_cast<size_t>(place), bins - 1)];
    ++counted;
  }
  for (double& share : shares) share /= static_cast<double>(std::max<size_t>(counted, 1));
  return shares;
}

void DrawOutline(Canvas& canvas, const std::vector<double>& shares, size_t series) {
  double width = (canvas.right() - Canvas::kLeft) / static_cast<double>(shares.size());
  std::vector<std::pair<double, double>> outline = {{Canvas::kLeft, canvas.Y(0)}};
  for (size_t i = 0; i < shares.size(); ++i) {
    double left = Canvas::kLeft + width * static_cast<double>(i);
    outline.emplace_back(left, canvas.Y(shares[i]));
    outline.emplace_back(left + width, canvas.Y(shares[i]));
  }
  outline.emplace_back(canvas.right(), canvas.Y(0));
  canvas.DrawPath(outline, series, "outline");
}

}  // namespace

Svg Draw(const Histogram& plot) {
  Canvas canvas(plot.title, plot.description);
  canvas.UseWholeWidth();
  Extent x;
  std::vector<std::string> names;
  for (const Sample& sample : plot.samples) {
    for (double value : sample.values) x.Add(value, plot.x.scale);
    names.push_back(sample.name);
  }
  Ticks x_ticks = MakeTicks(plot.x, x);
  double low = Position(x_ticks.scale, x_ticks.from), high = Position(x_ticks.scale, x_ticks.to);
  size_t bins = plot.bin_count > 0 ? plot.bin_count : ChooseBins(plot, low, high);
  std::vector<std::vector<double>> shares;
  Extent y{0, 0};
  for (const Sample& sample : plot.samples) {
    shares.push_back(Shares(sample, plot.x.scale, low, high, bins));
    for (double share : shares.back()) y.Add(share, Scale::kLinear);
  }
  canvas.SetAxes(std::move(x_ticks), MakeTicks({.from = 0}, y));
  canvas.DrawYAxis("share of the sample");
  canvas.DrawXAxis(plot.x.label);
  if (x.empty()) canvas.DrawNoData();
  canvas.DrawLegend(names);
  for (size_t i = 0; i < shares.size() && !x.empty(); ++i) DrawOutline(canvas, shares[i], i);
  return std::move(canvas).Take();
}

}  // namespace soter::report
