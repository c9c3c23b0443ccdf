#include <algorithm>
#include <cmath>

#include "tests/conformance/reference.h"

// Operators that move, repeat or select elements.
namespace soter::reference {

namespace {

size_t Axis(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

int64_t PadSource(PadMode mode, int64_t at, int64_t extent) {
  if (mode == PadMode::kEdge) return std::clamp<int64_t>(at, 0, extent - 1);
  if (mode == PadMode::kWrap) {
    while (at < 0) at += extent;
    return at % extent;
  }
  while (extent > 1 && (at < 0 || at >= extent)) at = at < 0 ? -at : 2 * (extent - 1) - at;
  return at;
}

double Coordinate(const Resize& op, int64_t position, int64_t in, int64_t out, double scale) {
  double x = static_cast<double>(position);
  if (op.coordinates == ResizeCoordinates::kAsymmetric) return x / scale;
  if (op.coordinates == ResizeCoordinates::kAlignCorners)
    return out == 1 ? 0.0 : x * static_cast<double>(in - 1) / (scale * static_cast<double>(in) - 1);
  if (op.coordinates == ResizeCoordinates::kPytorchHalfPixel && out == 1) return 0.0;
  return (x + 0.5) / scale - 0.5;
}

double Keys(double d, double a) {
  d = std::fabs(d);
  if (d <= 1) return (a + 2) * d * d * d - (a + 3) * d * d + 1;
  if (d < 2) return a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
  return 0;
}

struct Tap {
  int64_t index;
  double weight;
};

std::vector<Tap> TapsAt(const Resize& op, double x, int64_t in) {
  if (op.mode == ResizeMode::kNearest) {
    double rounded = std::floor(x + 0.5);
    if (op.rounding == ResizeRounding::kFloor) rounded = std::floor(x);
    if (op.rounding == ResizeRounding::kCeil) rounded = std::ceil(x);
    if (op.rounding == ResizeRounding::kRoundPreferFloor && x - std::floor(x) == 0.5) rounded = std::floor(x);
    return {{std::clamp<int64_t>(static_cast<int64_t>(rounded), 0, in - 1), 1.0}};
  }
  std::vector<Tap> taps;
  int64_t reach = op.mode == ResizeMode::kLinear ? 1 : 2, floor = static_cast<int64_t>(std::floor(x));
  double total = 0;
  for (int64_t i = floor - reach + 1; i <= floor + reach; ++i) {
    double d = x - static_cast<double>(i);
    double weight =
        op.mode == ResizeMode::kLinear ? std::max(0.0, 1 - std::fabs(d)) : Keys(d, static_cast<double>(op.cubic_a));
    if (op.exclude_outside && (i < 0 || i >= in)) continue;
    taps.push_back({std::clamp<int64_t>(i, 0, in - 1), weight});
    total += weight;
  }
  if (op.exclude_outside) {
    for (Tap& tap : taps) tap.weight /= total;
  }
  return taps;
}

}  // namespace

Value Compute(const Transpose& op, const Operands& x) {
  Value y = x.Output();
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source(at.size());
    for (size_t d = 0; d < at.size(); ++d)
      source[op.perm.empty() ? at.size() - 1 - d : static_cast<size_t>(op.perm[d])] = at[d];
    out = x[0].At(source);
  });
  return y;
}

Value Compute(const Concat& op, const Operands& x) {
  Value y = x.Output();
  size_t axis = Axis(op.axis, y.shape().size());
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source = at;
    size_t part = 0;
    while (source[axis] >= x[part].shape()[axis]) source[axis] -= x[part++].shape()[axis];
    out = x[part].At(source);
  });
  return y;
}

std::vector<Value> ComputeSplit(const Split& op, const Operands& x) {
  std::vector<Value> parts;
  size_t axis = Axis(op.axis, x[0].shape().size());
  int64_t begin = 0;
  for (size_t i = 0; i < x.node.outputs.size(); ++i) {
    parts.push_back(x.Output(i));
    ForEach(parts.back(), [&](const Shape& at, double& out) {
      Shape source = at;
      source[axis] += begin;
      out = x[0].At(source);
    });
    begin += parts.back().shape()[axis];
  }
  return parts;
}

Value Compute(const Slice&, const Operands& x) {
  Value y = x.Output();
  size_t rank = x[0].shape().size();
  std::vector<int64_t> starts = x.Integers(1), first(rank, 0), step(rank, 1);
  for (size_t i = 0; i < starts.size(); ++i) {
    size_t axis = x.Has(3) ? Axis(x.Integers(3)[i], rank) : i;
    int64_t extent = x[0].shape()[axis];
    step[axis] = x.Has(4) ? x.Integers(4)[i] : 1;
    first[axis] =
        std::clamp<int64_t>(starts[i] < 0 ? starts[i] + extent : starts[i], 0, step[axis] < 0 ? extent - 1 : extent);
  }
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source(rank);
    for (size_t d = 0; d < rank; ++d) source[d] = first[d] + at[d] * step[d];
    out = x[0].At(source);
  });
  return y;
}

Value Compute(const Pad& op, const Operands& x) {
  Value y = x.Output();
  size_t rank = y.shape().size();
  std::vector<int64_t> pads = x.Integers(1), begin(rank, 0);
  for (size_t i = 0; i < pads.size() / 2; ++i) begin[x.Has(3) ? Axis(x.Integers(3)[i], rank) : i] = pads[i];
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source(rank);
    bool inside = true;
    for (size_t d = 0; d < rank; ++d) {
      source[d] = at[d] - begin[d];
      if (op.mode != PadMode::kConstant) source[d] = PadSource(op.mode, source[d], x[0].shape()[d]);
      inside = inside && source[d] >= 0 && source[d] < x[0].shape()[d];
    }
    out = inside ? x[0].At(source) : x.Has(2) ? x[2].data[0] : 0.0;
  });
  return y;
}

Value Compute(const Gather& op, const Operands& x) {
  Value y = x.Output();
  size_t axis = Axis(op.axis, x[0].shape().size()), index_rank = x[1].shape().size();
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source = at, index = at;
    if (!op.elements) {
      auto begin = at.begin() + static_cast<std::ptrdiff_t>(axis),
           end = begin + static_cast<std::ptrdiff_t>(index_rank);
      index.assign(begin, end);
      source.assign(at.begin(), begin);
      source.push_back(0);
      source.insert(source.end(), end, at.end());
    }
    int64_t chosen = static_cast<int64_t>(x[1].At(index));
    source[axis] = chosen < 0 ? chosen + x[0].shape()[axis] : chosen;
    out = x[0].At(source);
  });
  return y;
}

Value Compute(const Expand&, const Operands& x) {
  Value y = x.Output();
  ForEach(y, [&](const Shape& at, double& out) { out = x[0].Broadcast(at); });
  return y;
}

Value Compute(const Tile&, const Operands& x) {
  Value y = x.Output();
  ForEach(y, [&](const Shape& at, double& out) {
    Shape source = at;
    for (size_t d = 0; d < at.size(); ++d) source[d] %= x[0].shape()[d];
    out = x[0].At(source);
  });
  return y;
}

Value Compute(const Trilu& op, const Operands& x) {
  Value y = x.Output();
  int64_t diagonal = x.Has(1) ? x.Integers(1)[0] : 0;
  ForEach(y, [&](const Shape& at, double& out) {
    int64_t beyond = at[at.size() - 1] - at[at.size() - 2] - diagonal;
    out = (op.upper ? beyond >= 0 : beyond <= 0) ? x[0].At(at) : 0.0;
  });
  return y;
}

Value Compute(const Resize& op, const Operands& x) {
  Value y = x.Output();
  size_t rank = y.shape().size();
  ForEach(y, [&](const Shape& at, double& out) {
    // The tensor product of the axes' taps, one axis after the other.
    std::vector<std::pair<Shape, double>> terms = {{{}, 1.0}};
    for (size_t d = 0; d < rank; ++d) {
      int64_t in = x[0].shape()[d], extent = y.shape()[d];
      double scale = x.Has(1) ? x[1].data[d] : static_cast<double>(extent) / static_cast<double>(in);
      std::vector<std::pair<Shape, double>> longer;
      bool same = in == extent && scale == 1.0;
      for (const Tap& tap :
           same ? std::vector<Tap>{{at[d], 1.0}} : TapsAt(op, Coordinate(op, at[d], in, extent, scale), in)) {
        for (auto [index, weight] : terms) {
          index.push_back(tap.index);
          longer.emplace_back(std::move(index), weight * tap.weight);
        }
      }
      terms = std::move(longer);
    }
    out = 0;
    for (const auto& [index, weight] : terms) out += weight * x[0].At(index);
  });
  return y;
}

Value Compute(const DepthToSpace& op, const Operands& x) {
  Value y = x.Output();
  int64_t b = op.block;
  ForEach(y, [&](const Shape& at, double& out) {
    if (op.inverse) {
      int64_t c = x[0].shape()[1], cell = at[1] / c;
      out = x[0].At({at[0], at[1] % c, at[2] * b + cell / b, at[3] * b + cell % b});
    } else {
      int64_t cell = at[2] % b * b + at[3] % b, c = y.shape()[1];
      out = x[0].At({at[0], op.column_row_depth ? at[1] * b * b + cell : cell * c + at[1], at[2] / b, at[3] / b});
    }
  });
  return y;
}

Value Compute(const Fill&, const Operands& x) {
  Value y = x.Output();
  std::fill(y.data.begin(), y.data.end(), x.Has(1) ? x[1].data[0] : 0.0);
  return y;
}

}  // namespace soter::reference
