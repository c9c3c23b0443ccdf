#include <algorithm>
#include <cstring>

#include "common/compute/layout.h"
#include "common/compute/lower.h"
#include "common/compute/resize_plan.h"

// Resize: one pass per axis whose extent changes; each output position is a weighted sum of a few input positions.
namespace soter::compute {

namespace {

// AxisPass computes one pass with all threads.
struct AxisPass : ResizePass {
  void Run(const float* x, float* y) const {
#pragma omp parallel for schedule(static) collapse(2) if (outer * out * inner > (1 << 12))
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t p = 0; p < out; ++p) Position(x + o * in * inner, p, y + (o * out + p) * inner);
    }
  }

  void Position(const float* x, int64_t p, float* y) const {
    const ResizeTap* tap = &taps[static_cast<size_t>(p) * taps_per_position];
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

Result<std::vector<AxisPass>> PlanPasses(const UnitContext& u, const Resize& op) {
  std::span<const float> scales;
  if (u.Has(1)) scales = TRY(u.builder.Constant(u.In(1)))->As<float>();
  std::vector<AxisPass> passes;
  for (ResizePass& pass : PlanResize(op, u.InShape(0), u.OutShape(), scales)) passes.push_back({std::move(pass)});
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
