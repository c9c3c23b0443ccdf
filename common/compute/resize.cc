#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/compute/layout.h"
#include "common/compute/lower.h"

// Resize: one pass per axis whose extent changes; each output position is a weighted sum of a few input positions.
namespace soter::compute {

namespace {

struct Tap {
  int64_t index;
  float weight;
};

// AxisPass resizes [outer, in, inner] to [outer, out, inner].
struct AxisPass {
  int64_t outer, in, out, inner;
  size_t taps_per_position;
  std::vector<Tap> taps;

  void Run(const float* x, float* y) const {
#pragma omp parallel for schedule(static) collapse(2) if (outer * out * inner > (1 << 12))
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t p = 0; p < out; ++p) Position(x + o * in * inner, p, y + (o * out + p) * inner);
    }
  }

  void Position(const float* x, int64_t p, float* y) const {
    const Tap* tap = &taps[static_cast<size_t>(p) * taps_per_position];
    if (taps_per_position == 1) {
      std::memcpy(y, x + tap->index * inner, static_cast<size_t>(inner) * sizeof(float));
      return;
    }
    std::fill(y, y + inner, 0.0f);
    for (size_t t = 0; t < taps_per_position; ++t) {
      const float* source = x + tap[t].index * inner;
      for (int64_t i = 0; i < inner; ++i) y[i] += tap[t].weight * source[i];
    }
  }
};

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

void AddTaps(const Resize& op, double x, int64_t in, std::vector<Tap>& taps) {
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

Result<std::vector<AxisPass>> PlanPasses(const UnitContext& u, const Resize& op) {
  Shape shape = u.InShape(0);
  std::span<const float> scales;
  if (u.Has(1)) scales = TRY(u.builder.Constant(u.In(1)))->As<float>();
  std::vector<AxisPass> passes;
  for (size_t d = 0; d < shape.size(); ++d) {
    int64_t in = shape[d], out = u.OutShape()[d];
    double scale =
        scales.empty() ? static_cast<double>(out) / static_cast<double>(in) : static_cast<double>(scales[d]);
    if (in == out && scale == 1.0) continue;
    AxisPass pass{.outer = Product(shape, 0, d), .in = in, .out = out, .inner = Product(shape, d + 1, shape.size())};
    for (int64_t p = 0; p < out; ++p) AddTaps(op, SourceOf(op, p, in, out, scale), in, pass.taps);
    pass.taps_per_position = pass.taps.size() / static_cast<size_t>(out);
    passes.push_back(std::move(pass));
    shape[d] = out;
  }
  return passes;
}

}  // namespace

Status Lower(const UnitContext& u, const Resize& op) {
  TRY(RequireFloat(u.InType(0)));
  std::vector<AxisPass> passes = TRY(PlanPasses(u, op));
  BufferId input = TRY(u.builder.Read(u.In(0)));
  if (passes.empty()) return u.builder.Alias(u.Out(), input, Layout::kDense);
  // Intermediate results alternate between two halves of the scratch memory.
  int64_t half = 0;
  for (const AxisPass& pass : passes) half = std::max(half, pass.outer * pass.out * pass.inner);
  auto kernel = MakeKernel([passes, half](const Arguments& a) {
    const float* x = a.In<float>(0);
    for (size_t i = 0; i < passes.size(); ++i) {
      float* scratch = reinterpret_cast<float*>(a.scratch) + (i % 2) * static_cast<size_t>(half);
      float* y = i + 1 == passes.size() ? a.Out<float>(0) : scratch;
      passes[i].Run(x, y);
      x = y;
    }
  });
  size_t scratch_bytes = passes.size() > 1 ? 2 * static_cast<size_t>(half) * sizeof(float) : 0;
  return u.builder.Emit(std::move(kernel), {input}, {{u.Out()}}, {.scratch_bytes = scratch_bytes});
}

}  // namespace soter::compute
