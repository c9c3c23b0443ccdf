#include "tools/report/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "common/base/check.h"

namespace soter::report {
namespace {

constexpr size_t kSeriesStyles = 7;
constexpr int kWantedTicks = 6;
constexpr double kLegendTop = 32, kLegendLine = 16;
constexpr double kCharacterPixels = 6.4;  // of the 12 pixel type below, on average

// Okabe and Ito's palette, light and dark; yellow is left out, since it does not stand out on white.
constexpr std::string_view kStyle =
    ".soter-plot{font:12px system-ui,sans-serif;max-width:100%;height:auto;"
    "--ink:#1a1a1a;--soft:#595959;--grid:#dcdcdc;--paper:#ffffff;"
    "--s0:#0072b2;--s1:#d55e00;--s2:#009e73;--s3:#b0548a;--s4:#b27600;--s5:#3a8fc4;--s6:#555555}\n"
    "@media (prefers-color-scheme:dark){.soter-plot{--ink:#ececec;--soft:#b0b0b0;--grid:#3d3d3d;--paper:#161616;"
    "--s0:#4aa8e0;--s1:#ff8c42;--s2:#2fcf9f;--s3:#e39ac4;--s4:#f0b429;--s5:#8ecdf5;--s6:#bbbbbb}}\n"
    ".soter-plot text{fill:var(--ink)}.soter-plot .soft{fill:var(--soft)}"
    ".soter-plot .title{font-size:15px;font-weight:600}.soter-plot .name{font-weight:600}"
    ".soter-plot .value{font-size:10px;fill:var(--soft)}"
    ".soter-plot .grid{stroke:var(--grid);stroke-width:1}.soter-plot .axis{stroke:var(--soft);stroke-width:1}"
    ".soter-plot .reference{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3}"
    ".soter-plot .line{fill:none;stroke-width:2}.soter-plot .outline{stroke-width:1.5;fill-opacity:.18}\n";

std::string SeriesColour(size_t series) { return "var(--s" + std::to_string(series % kSeriesStyles) + ")"; }

std::string Dash(size_t series) {
  static constexpr std::array<const char*, 4> kDashes = {"none", "7 3", "2 3", "9 3 2 3"};
  return kDashes[series % kDashes.size()];
}

double Fraction(const Ticks& axis, double value) {
  if (axis.scale == Scale::kLog) return std::log(value / axis.from) / std::log(axis.to / axis.from);
  return (value - axis.from) / (axis.to - axis.from);
}

Ticks LinearTicks(double low, double high, bool fixed_low, bool fixed_high) {
  if (!(high > low)) high = low + std::max(1.0, std::abs(low));
  double rough = (high - low) / kWantedTicks, power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  Ticks ticks{.from = fixed_low ? low : std::floor(low / step) * step, .to = fixed_high ? high : std::ceil(high / step) * step};
  for (double i = std::ceil(ticks.from / step - 1e-9); i * step <= ticks.to + step * 1e-9; ++i) ticks.values.push_back(i * step);
  return ticks;
}

Ticks LogTicks(double low, double high) {
  if (!(low > 0)) low = 1;
  high = std::max(high, low * 1.0001);
  bool decades_only = std::log10(high / low) > 3;
  Ticks ticks{.scale = Scale::kLog, .from = low, .to = high};
  std::vector<double> round;
  for (double power = std::floor(std::log10(low)); power <= std::ceil(std::log10(high)); ++power)
    for (double digit : {1.0, 2.0, 5.0})
      if (digit == 1.0 || !decades_only) round.push_back(digit * std::pow(10, power));
  auto first = std::upper_bound(round.begin(), round.end(), low * 1.000001);
  auto last = std::lower_bound(round.begin(), round.end(), high * 0.999999);
  if (first != round.begin()) --first;
  if (last == round.end()) --last;
  ticks.values.assign(first, last + 1);
  ticks.from = ticks.values.front(), ticks.to = ticks.values.back();
  return ticks;
}

// Marker draws the shape of a series, so that it is told apart without its colour.
std::string MarkerPath(double x, double y, size_t series) {
  std::string at = "M" + Number(x) + " " + Number(y);
  switch (series % 4) {
    case 0: return at + "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z";
    case 1: return at + "m-3.2-3.2h6.4v6.4h-6.4z";
    case 2: return at + "m0-4.2l4 7h-8z";
    default: return at + "m0-4.6l4 4.6l-4 4.6l-4-4.6z";
  }
}

}  // namespace

void Extent::Add(double value, Scale scale) {
  if (!std::isfinite(value) || (scale == Scale::kLog && value <= 0)) return;
  low = std::min(low, value), high = std::max(high, value);
}

Ticks MakeTicks(const Axis& axis, Extent extent) {
  if (extent.empty()) extent = {0, 1};
  double low = axis.from.value_or(extent.low), high = axis.to.value_or(extent.high);
  if (axis.scale == Scale::kLog) return LogTicks(low, high);
  return LinearTicks(low, high, axis.from.has_value(), axis.to.has_value());
}

std::string TickText(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), std::abs(value) >= 1000 && std::abs(value) < 1e6 ? "%.0f" : "%.3g",
                value + 0.0);  // no "-0"
  return text;
}

Canvas::Canvas(const std::string& title, const std::string& description) {
  svg_.Open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                    {"class", "soter-plot"},
                    {"viewBox", "0 0 " + Number(kWidth) + " " + Number(kHeight)},
                    {"width", Number(kWidth)},
                    {"height", Number(kHeight)},
                    {"role", "img"},
                    {"aria-label", title}});
  svg_.Line("title", title);
  svg_.Line("desc", description);
  svg_.Open("style");
  svg_.Raw(kStyle);
  svg_.Close();
  svg_.Empty("rect", {{"width", Number(kWidth)}, {"height", Number(kHeight)}, {"style", "fill:var(--paper)"}});
  DrawText(12, 22, title, Anchor::kStart, "title");
}

double Canvas::X(double value) const { return kLeft + (right_ - kLeft) * Fraction(x_, value); }
double Canvas::Y(double value) const { return kBottom - (kBottom - kTop) * std::clamp(Fraction(y_, value), 0.0, 1.0); }

bool Canvas::Shows(double x, double y) const {
  auto shown = [](const Ticks& axis, double value) {
    return std::isfinite(value) && (axis.scale == Scale::kLinear || value > 0);
  };
  return shown(x_, x) && shown(y_, y) && Fraction(x_, x) > -1e-9 && Fraction(x_, x) < 1 + 1e-9;
}

void Canvas::DrawText(double x, double y, const std::string& text, Anchor anchor, std::string_view style) {
  static constexpr std::array<const char*, 3> kAnchors = {"start", "middle", "end"};
  svg_.Line("text", text, {{"x", Number(x)}, {"y", Number(y)}, {"text-anchor", kAnchors[static_cast<size_t>(anchor)]},
                           {"class", std::string(style)}});
}

void Canvas::DrawYAxis(const std::string& label) {
  for (double value : y_.values) {
    double y = Y(value);
    svg_.Empty("path", {{"d", "M" + Number(kLeft) + " " + Number(y) + "H" + Number(right_)}, {"class", "grid"}});
    DrawText(kLeft - 8, y + 4, TickText(value), Anchor::kEnd, "soft");
  }
  svg_.Line("text", label, {{"transform", "translate(16 " + Number((kTop + kBottom) / 2) + ") rotate(-90)"},
                            {"text-anchor", "middle"}, {"class", "soft"}});
}

void Canvas::DrawXAxis(const std::string& label) {
  for (double value : x_.values) {
    double x = X(value);
    svg_.Empty("path", {{"d", "M" + Number(x) + " " + Number(kBottom) + "v5"}, {"class", "axis"}});
    DrawText(x, kBottom + 19, TickText(value), Anchor::kMiddle, "soft");
  }
  DrawXLabel(label);
}

void Canvas::DrawXLabel(const std::string& label) {
  svg_.Empty("path", {{"d", "M" + Number(kLeft) + " " + Number(kBottom) + "H" + Number(right_)}, {"class", "axis"}});
  DrawText((kLeft + right_) / 2, kBottom + 44, label, Anchor::kMiddle, "soft");
}

// A name that is wider than its group is shortened; the whole of it is in the tooltips of its bars.
void Canvas::DrawGroupName(double pixel, double width, const std::string& name) {
  auto fits = static_cast<size_t>(std::max(3.0, width / kCharacterPixels));
  size_t end = fits;
  while (end > 0 && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // whole characters
  DrawText(pixel, kBottom + 19, name.size() <= fits ? name : name.substr(0, end) + "\u2026", Anchor::kMiddle, "soft");
}

void Canvas::DrawReference(std::optional<double> value) {
  if (!value.has_value() || !Shows(x_.from, *value)) return;
  svg_.Empty("path", {{"d", "M" + Number(kLeft) + " " + Number(Y(*value)) + "H" + Number(right_)}, {"class", "reference"}});
}

void Canvas::DrawLegend(const std::vector<std::string>& names) {
  double x = kLeft, y = kLegendTop;
  for (size_t i = 0; i < names.size(); ++i) {
    double width = 34 + kCharacterPixels * static_cast<double>(names[i].size());
    if (x > kLeft && x + width > kWidth) x = kLeft, y += kLegendLine;  // two lines have room
    svg_.Empty("rect", {{"x", Number(x)}, {"y", Number(y)}, {"width", "11"}, {"height", "11"},
                        {"style", "fill:" + SeriesColour(i)}});
    DrawText(x + 16, y + 10, names[i], Anchor::kStart, "");
    x += width;
  }
}

void Canvas::DrawErrorBar(double x_pixel, const Range& range, size_t series) {
  if (!Shows(x_.from, range.low) || !Shows(x_.from, range.high)) return;
  std::string low = Number(Y(range.low)), high = Number(Y(range.high)), left = Number(x_pixel - 3), right = Number(x_pixel + 3);
  svg_.Empty("path", {{"d", "M" + left + " " + low + "H" + right + "M" + left + " " + high + "H" + right + "M" +
                                Number(x_pixel) + " " + low + "V" + high},
                      {"class", "line"},
                      {"style", "stroke-width:1.2;stroke:" + (series == SIZE_MAX ? "var(--ink)" : SeriesColour(series))}});
}

void Canvas::DrawMarker(double x_pixel, double y_pixel, size_t series, const std::string& tooltip) {
  svg_.Open("path", {{"d", MarkerPath(x_pixel, y_pixel, series)}, {"style", "fill:" + SeriesColour(series)}});
  svg_.Line("title", tooltip);
  svg_.Close();
}

void Canvas::DrawPath(const std::vector<std::pair<double, double>>& pixels, size_t series, std::string_view kind) {
  std::string path;
  for (const auto& [x, y] : pixels) path += (path.empty() ? "M" : "L") + Number(x) + " " + Number(y);
  if (path.empty()) return;
  std::string fill = kind == "outline" ? ";fill:" + SeriesColour(series) : "";
  svg_.Empty("path", {{"d", path}, {"class", std::string(kind)},
                      {"style", "stroke:" + SeriesColour(series) + ";stroke-dasharray:" + Dash(series) + fill}});
}

void Canvas::DrawBar(double left, double width, double value, size_t series, const std::string& tooltip) {
  double base = y_.scale == Scale::kLog ? y_.from : std::clamp(0.0, y_.from, y_.to);
  double top = std::min(Y(value), Y(base)), bottom = std::max(Y(value), Y(base));
  svg_.Open("rect", {{"x", Number(left)}, {"y", Number(top)}, {"width", Number(width)}, {"height", Number(bottom - top)},
                     {"style", "fill:" + SeriesColour(series)}});
  svg_.Line("title", tooltip);
  svg_.Close();
}

void Canvas::DrawNoData() {
  DrawText((kLeft + right_) / 2, (kTop + kBottom) / 2, "no data: nothing was measured", Anchor::kMiddle, "soft");
}

Svg Canvas::Take() && {
  svg_.Close();
  return Svg(std::move(svg_).Take());
}

}  // namespace soter::report
