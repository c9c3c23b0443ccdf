#include <algorithm>
#include <cmath>

#include "tests/conformance/reference.h"

// Operators that slide a window: Conv, ConvTranspose, Pool; and Lrn, whose window slides over channels.
namespace soter::reference {

namespace {

// ForEachTap calls f(tap, source) for every kernel position; `source` is the input position it falls on, which may
// lie outside the input.
template <typename F>
void ForEachTap(const Window& window, const Shape& output_index, F f) {
  Shape tap(window.kernel.size(), 0), source(window.kernel.size());
  do {
    for (size_t d = 0; d < tap.size(); ++d)
      source[d] = output_index[d + 2] * window.strides[d] - window.pads_begin[d] + tap[d] * window.dilations[d];
    f(const_cast<const Shape&>(tap), const_cast<const Shape&>(source));
  } while (Advance(tap, window.kernel));
}

bool Inside(const Shape& source, const Shape& shape) {
  for (size_t d = 0; d < source.size(); ++d) {
    if (source[d] < 0 || source[d] >= shape[d + 2]) return false;
  }
  return true;
}

Shape Joined(int64_t first, int64_t second, const Shape& rest) {
  Shape index = {first, second};
  index.insert(index.end(), rest.begin(), rest.end());
  return index;
}

}  // namespace

Value Compute(const Conv& op, const Operands& x) {
  Value y = x.Output();
  int64_t per_group_in = x[1].shape()[1], per_group_out = x[1].shape()[0] / op.groups;
  ForEach(y, [&](const Shape& at, double& out) {
    int64_t group = at[1] / per_group_out;
    double sum = x.Has(2) ? x[2].data[static_cast<size_t>(at[1])] : 0.0;
    ForEachTap(op.window, at, [&](const Shape& tap, const Shape& source) {
      if (!Inside(source, x[0].shape())) return;
      for (int64_t c = 0; c < per_group_in; ++c)
        sum += x[0].At(Joined(at[0], group * per_group_in + c, source)) * x[1].At(Joined(at[1], c, tap));
    });
    if (x.Has(3)) sum += x[3].At(at);
    out = Activate(op.activation, sum);
  });
  return y;
}

Value Compute(const ConvTranspose& op, const Operands& x) {
  Value y = x.Output();
  int64_t per_group_out = x[1].shape()[1], per_group_in = x[0].shape()[1] / op.groups;
  const Window& window = op.window;
  // Gather form: output position p receives input q through tap t when q stride - pad + t dilation = p.
  ForEach(y, [&](const Shape& at, double& out) {
    int64_t group = at[1] / per_group_out;
    double sum = x.Has(2) ? x[2].data[static_cast<size_t>(at[1])] : 0.0;
    Shape tap(window.kernel.size(), 0), source(window.kernel.size());
    do {
      bool hits = true;
      for (size_t d = 0; d < tap.size(); ++d) {
        int64_t position = at[d + 2] + window.pads_begin[d] - tap[d] * window.dilations[d];
        hits = hits && position >= 0 && position % window.strides[d] == 0;
        source[d] = position / window.strides[d];
      }
      if (!hits || !Inside(source, x[0].shape())) continue;
      for (int64_t c = 0; c < per_group_in; ++c)
        sum += x[0].At(Joined(at[0], group * per_group_in + c, source)) *
               x[1].At(Joined(group * per_group_in + c, at[1] % per_group_out, tap));
    } while (Advance(tap, window.kernel));
    out = Activate(op.activation, sum);
  });
  return y;
}

Value Compute(const Pool& op, const Operands& x) {
  Value y = x.Output();
  const Shape& shape = x[0].shape();
  ForEach(y, [&](const Shape& at, double& out) {
    double most = -INFINITY, sum = 0;
    int64_t inside = 0, padded = 0;
    ForEachTap(op.window, at, [&](const Shape&, const Shape& source) {
      bool within_padding = true;
      for (size_t d = 0; d < source.size(); ++d)
        within_padding = within_padding && source[d] < shape[d + 2] + op.window.pads_end[d];
      padded += within_padding;
      if (!Inside(source, shape)) return;
      double value = x[0].At(Joined(at[0], at[1], source));
      ++inside;
      most = std::max(most, value);
      sum += op.kind == PoolKind::kLp ? std::pow(std::fabs(value), static_cast<double>(op.p)) : value;
    });
    if (op.kind == PoolKind::kMax) out = most;
    else if (op.kind == PoolKind::kLp) out = std::pow(sum, 1.0 / static_cast<double>(op.p));
    else out = sum / static_cast<double>(op.count_include_pad ? padded : inside);
  });
  return y;
}

Value Compute(const Lrn& op, const Operands& x) {
  Value y = x.Output();
  int64_t before = (op.size - 1) / 2, after = op.size - 1 - before;
  ForEach(y, [&](const Shape& at, double& out) {
    double squares = 0;
    Shape neighbour = at;
    for (int64_t c = std::max<int64_t>(0, at[1] - before); c <= std::min(x[0].shape()[1] - 1, at[1] + after); ++c) {
      neighbour[1] = c;
      squares += x[0].At(neighbour) * x[0].At(neighbour);
    }
    double base =
        static_cast<double>(op.bias) + static_cast<double>(op.alpha) / static_cast<double>(op.size) * squares;
    out = x[0].At(at) / std::pow(base, static_cast<double>(op.beta));
  });
  return y;
}

}  // namespace soter::reference
