#include "trusted/engine/band_activation.h"

#include <algorithm>

#include "common/compute/simd.h"

namespace soter {
namespace {

SOTER_SIMD_CLONES void Relu(const float* y, float* to, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) to[i] = y[i] > 0 ? y[i] : 0;
}

// One row of pooled positions from two rows of y, `lanes` channels side by side.
SOTER_SIMD_CLONES void ReluPoolRow(const float* upper, const float* lower, int64_t pooled, int64_t lanes, float* to) {
  for (int64_t w = 0; w < pooled; ++w) {
    const float *a = upper + 2 * w * lanes, *b = lower + 2 * w * lanes;
    float* target = to + w * lanes;
#pragma omp simd
    for (int64_t i = 0; i < lanes; ++i) {
      float left = a[i] > b[i] ? a[i] : b[i], right = a[lanes + i] > b[lanes + i] ? a[lanes + i] : b[lanes + i];
      float largest = left > right ? left : right;
      target[i] = largest > 0 ? largest : 0;
    }
  }
}

bool AllAre(const Shape& values, int64_t wanted) {
  return std::all_of(values.begin(), values.end(), [&](int64_t value) { return value == wanted; });
}

bool IsPairPool(const Pool& pool) {
  const Window& window = pool.window;
  return pool.kind == PoolKind::kMax && window.kernel.size() == 2 && AllAre(window.kernel, 2) && AllAre(window.strides, 2) &&
         AllAre(window.dilations, 1) && AllAre(window.pads_begin, 0) && AllAre(window.pads_end, 0) && !pool.ceil_mode;
}

void ReluPool(const Freivalds& check, int64_t band, const float* y, float* to) {
  const SlidingAxis &height = check.geometry().axes[1], &width = check.geometry().axes[2];
  const TensorPart part = check.OutputPart(band, 0);
  const int64_t lanes = part.count > 1 || part.stride > 0 ? 16 : check.geometry().out_channels;
  const int64_t pooled_height = height.out / 2, pooled_width = width.out / 2, row = width.out * lanes;
  const Freivalds::RowRange rows = check.OutputRows(band);
  const int64_t image = rows.first / height.out, first = rows.first % height.out, last = first + rows.last - rows.first;
  const int64_t blocks = static_cast<int64_t>(part.count), plane = pooled_height * pooled_width * lanes;
  for (int64_t b = 0; b < blocks; ++b) {
    const float* from = y + part.offset + static_cast<size_t>(b) * part.stride;
    for (int64_t h = first; h + 1 < last; h += 2)
      ReluPoolRow(from + (h - first) * row, from + (h - first + 1) * row, pooled_width, lanes,
                  to + (image * blocks + b) * plane + h / 2 * pooled_width * lanes);
  }
}

}  // namespace

BandActivation ActivationOf(const StaticGraph& graph, std::span<const uint32_t> nodes, const Freivalds& check, Layout layout) {
  if (nodes.empty() || nodes.size() > 2) return BandActivation::kNone;
  const std::vector<Node>& all = graph.graph().nodes;
  const auto* unary = std::get_if<Unary>(&all[nodes[0]].op);
  if (unary == nullptr || unary->kind != UnaryKind::kRelu) return BandActivation::kNone;
  if (nodes.size() == 1) return BandActivation::kRelu;
  const auto* pool = std::get_if<Pool>(&all[nodes[1]].op);
  bool whole = check.HasRowBands() && layout != Layout::kDense && check.rows_per_band() % 2 == 0 &&
               check.geometry().axes[1].out % 2 == 0;
  bool follows = all[nodes[1]].inputs[0] == all[nodes[0]].outputs[0];
  return pool != nullptr && follows && whole && IsPairPool(*pool) ? BandActivation::kReluPool : BandActivation::kNone;
}

void Activate(BandActivation activation, const Freivalds& check, int64_t band, const float* y, float* to) {
  if (activation == BandActivation::kReluPool) return ReluPool(check, band, y, to);
  if (activation == BandActivation::kNone) return;
  for (int64_t slice = 0; slice < check.slices(band); ++slice) {
    const TensorPart part = check.OutputPart(band, slice);
    for (size_t at = part.offset, i = 0; i < part.count; ++i, at += part.stride) Relu(y + at, to + at, part.length);
  }
}

}  // namespace soter
