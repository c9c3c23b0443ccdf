#include "common/compute/resize_plan.h"

#include <algorithm>
#include <cmath>

#include "common/compute/layout.h"

namespace soter::compute {

namespace {

// SourceOf maps an output position to a coordinate of the input (ONNX, coordinate_transformation_mode).
double SourceOf(const Resize& op, int64_t position, int64_t in, int64_t out, double scale) {
  double x = static_cast<double>(position);
  switch (op.coordinates) {
    case ResizeCoordinates::kHalfPixel: return (x + 0.5) / scale - 0.5;
    case ResizeCoordinates::kPytorchHalfPixel: return out > 1 ? (x + 0.5) / scale - 0.5 : 0.0;
    case ResizeCoordinates::kAlignCorners:
      return out > 1 ? x * static_cast<double>(in - 1) / (static_cast<double>(in) * scale - 1) : 0.0;
    case ResizeCoordinates::kAsymmetric: return x / scale;
  }
  return x;
}

int64_t Nearest(ResizeRounding rounding, double x) {
  switch (rounding) {
    case ResizeRounding::kRoundPreferFloor: return static_cast<int64_t>(std::ceil(x - 0.5));
    case ResizeRounding::kRoundPreferCeil: return static_cast<int64_t>(std::floor(x + 0.5));
    case ResizeRounding::kFloor: return static_cast<int64_t>(std::floor(x));
    case ResizeRounding::kCeil: return static_cast<int64_t>(std::ceil(x));
  }
  return 0;
}

// CubicWeight is Keys' kernel at distance d (Keys 1981).
double CubicWeight(double d, double a) {
  d = std::fabs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  if (d < 2) return a * (((d - 5) * d + 8) * d - 4);
  return 0;
}

void AddTaps(const Resize& op, double x, int64_t in, std::vector<ResizeTap>& taps) {
  auto clamped = [&](int64_t i) { return std::clamp<int64_t>(i, 0, in - 1); };
  if (op.mode == ResizeMode::kNearest) {
    taps.push_back({clamped(Nearest(op.rounding, x)), 1.0f});
    return;
  }
  int64_t floor = static_cast<int64_t>(std::floor(x));
  int64_t first = op.mode == ResizeMode::kLinear ? floor : floor - 1,
          last = op.mode == ResizeMode::kLinear ? floor + 1 : floor + 2;
  double weights[4], total = 0;
  for (int64_t i = first; i <= last; ++i) {
    double distance = x - static_cast<double>(i);
    double weight = op.mode == ResizeMode::kLinear ? 1 - std::fabs(distance)
                                                   : CubicWeight(distance, static_cast<double>(op.cubic_a));
    if (op.exclude_outside && (i < 0 || i >= in)) weight = 0;
    weights[i - first] = weight;
    total += weight;
  }
  for (int64_t i = first; i <= last; ++i)
    taps.push_back(
        {clamped(i), static_cast<float>(op.exclude_outside ? weights[i - first] / total : weights[i - first])});
}

}  // namespace

std::vector<ResizePass> PlanResize(const Resize& op, Shape from, const Shape& to, std::span<const float> scales) {
  std::vector<ResizePass> passes;
  for (size_t d = 0; d < from.size(); ++d) {
    int64_t in = from[d], out = to[d];
    double scale =
        scales.empty() ? static_cast<double>(out) / static_cast<double>(in) : static_cast<double>(scales[d]);
    if (in == out && scale == 1.0) continue;
    ResizePass pass{.outer = Product(from, 0, d), .in = in, .out = out, .inner = Product(from, d + 1, from.size())};
    for (int64_t p = 0; p < out; ++p) AddTaps(op, SourceOf(op, p, in, out, scale), in, pass.taps);
    pass.taps_per_position = pass.taps.size() / static_cast<size_t>(out);
    passes.push_back(std::move(pass));
    from[d] = out;
  }
  return passes;
}

}  // namespace soter::compute
