#include <algorithm>
#include <cmath>
#include <map>

#include "tests/conformance/reference.h"

// Products, reductions and normalisations.
namespace soter::reference {

namespace {

size_t Axis(int64_t axis, size_t rank) {
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(rank) : axis);
}

struct Moments {
  double mean, deviation;
};

Moments MomentsOf(const std::vector<double>& values, bool centred, double epsilon) {
  double mean = 0, variance = 0;
  if (centred) {
    for (double v : values) mean += v / static_cast<double>(values.size());
  }
  for (double v : values) variance += (v - mean) * (v - mean) / static_cast<double>(values.size());
  return {mean, std::sqrt(variance + epsilon)};
}

// Groups collects the elements of `x` whose index maps to the same key.
template <typename Key>
std::map<Shape, std::vector<double>> Groups(const Value& x, Key key) {
  std::map<Shape, std::vector<double>> groups;
  Value copy = x;
  ForEach(copy, [&](const Shape& at, double& v) { groups[key(at)].push_back(v); });
  return groups;
}

double FoldValues(ReduceKind kind, bool select_last, const std::vector<double>& values) {
  double sum = 0, absolute = 0, squares = 0, product = 1;
  size_t most = 0, least = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double v = values[i];
    sum += v, absolute += std::fabs(v), squares += v * v, product *= v;
    if (v > values[most] || (select_last && v == values[most])) most = i;
    if (v < values[least] || (select_last && v == values[least])) least = i;
  }
  double exponentials = 0;
  for (double v : values) exponentials += std::exp(v - values[most]);
  switch (kind) {
    case ReduceKind::kSum: return sum;
    case ReduceKind::kMean: return sum / static_cast<double>(values.size());
    case ReduceKind::kMax: return values[most];
    case ReduceKind::kMin: return values[least];
    case ReduceKind::kProd: return product;
    case ReduceKind::kL1: return absolute;
    case ReduceKind::kL2: return std::sqrt(squares);
    case ReduceKind::kLogSum: return std::log(sum);
    case ReduceKind::kLogSumExp: return values[most] + std::log(exponentials);
    case ReduceKind::kSumSquare: return squares;
    case ReduceKind::kArgMax: return static_cast<double>(most);
    case ReduceKind::kArgMin: return static_cast<double>(least);
  }
  return 0;
}

}  // namespace

Value Compute(const Linear& op, const Operands& x) {
  Value y = x.Output();
  int64_t k = x[1].shape()[1], n = x[1].shape()[0];
  for (size_t i = 0; i < y.data.size(); ++i) {
    int64_t row = static_cast<int64_t>(i) / n, column = static_cast<int64_t>(i) % n;
    double sum = x.Has(2) ? x[2].data[static_cast<size_t>(column)] : 0.0;
    for (int64_t j = 0; j < k; ++j)
      sum += x[0].data[static_cast<size_t>(row * k + j)] * x[1].data[static_cast<size_t>(column * k + j)];
    if (x.Has(3)) sum += x[3].data[i];
    y.data[i] = Activate(op.activation, sum);
  }
  return y;
}

Value Compute(const MatMul& op, const Operands& x) {
  Value a = x[0], b = x[1], y = x.Output();
  Shape full = y.shape();
  bool vector_a = a.shape().size() == 1, vector_b = b.shape().size() == 1;
  if (vector_a) a.type.shape.insert(a.type.shape.begin(), 1);
  if (vector_b) b.type.shape.push_back(1);
  if (vector_a) full.insert(full.end() - (vector_b ? 0 : 1), 1);
  if (vector_b) full.push_back(1);
  bool flip_a = op.transpose_a && !vector_a, flip_b = op.transpose_b && !vector_b;
  size_t rank_a = a.shape().size();
  int64_t k = a.shape()[flip_a ? rank_a - 2 : rank_a - 1];
  Value out{{y.type.dtype, full}, std::move(y.data)};
  ForEach(out, [&](const Shape& at, double& element) {
    double sum = 0;
    size_t rank = at.size();
    for (int64_t j = 0; j < k; ++j) {
      Shape left = at, right = at;
      left[rank - 1] = j, right[rank - 2] = j;
      if (flip_a) std::swap(left[rank - 1], left[rank - 2]);
      if (flip_b) std::swap(right[rank - 1], right[rank - 2]);
      sum += a.Broadcast(left) * b.Broadcast(right);
    }
    element = static_cast<double>(op.alpha) * sum;
  });
  y.data = std::move(out.data);
  return y;
}

Value Compute(const Reduce& op, const Operands& x) {
  size_t rank = x[0].shape().size();
  std::vector<bool> folded(rank, false);
  bool all = !op.spatial && !op.empty_axes_is_noop && (!x.Has(1) || x[1].data.empty());
  for (size_t d = 0; d < rank; ++d) folded[d] = all || (op.spatial && d >= 2);
  if (x.Has(1)) {
    for (int64_t axis : x.Integers(1)) folded[Axis(axis, rank)] = true;
  }
  auto key = [&](const Shape& at) {
    Shape kept = at;
    for (size_t d = 0; d < rank; ++d) kept[d] = folded[d] ? 0 : at[d];
    return kept;
  };
  Value y = x.Output();
  size_t i = 0;  // the map's order of keys is the row-major order of the output
  for (const auto& [index, values] : Groups(x[0], key)) y.data[i++] = FoldValues(op.kind, op.select_last, values);
  if (y.type.dtype == DType::kInt64 || y.type.dtype == DType::kInt32) {
    for (double& v : y.data) v = std::trunc(v);
  }
  return y;
}

Value Compute(const Softmax& op, const Operands& x) {
  Value y = x.Output();
  size_t axis = Axis(op.axis, x[0].shape().size());
  auto key = [&](const Shape& at) {
    Shape kept = at;
    for (size_t d = axis; d < (op.flatten ? at.size() : axis + 1); ++d) kept[d] = 0;
    return kept;
  };
  std::map<Shape, double> log_sums;
  for (const auto& [index, values] : Groups(x[0], key))
    log_sums[index] = FoldValues(ReduceKind::kLogSumExp, false, values);
  ForEach(y, [&](const Shape& at, double& out) {
    double logarithm = x[0].At(at) - log_sums[key(at)];
    out = op.log ? logarithm : std::exp(logarithm);
  });
  return y;
}

Value Compute(const LayerNorm& op, const Operands& x) {
  Value y = x.Output();
  size_t axis = Axis(op.axis, x[0].shape().size());
  auto key = [&](const Shape& at) { return Shape(at.begin(), at.begin() + static_cast<std::ptrdiff_t>(axis)); };
  std::map<Shape, Moments> moments;
  for (const auto& [index, values] : Groups(x[0], key))
    moments[index] = MomentsOf(values, !op.rms, static_cast<double>(op.epsilon));
  ForEach(y, [&](const Shape& at, double& out) {
    Moments m = moments[key(at)];
    out = (x[0].At(at) - m.mean) / m.deviation;
    if (x.Has(1)) out *= x[1].Broadcast(at);
    if (x.Has(2)) out += x[2].Broadcast(at);
  });
  return y;
}

Value Compute(const GroupNorm& op, const Operands& x) {
  Value y = x.Output();
  int64_t channels = x[0].shape()[1], per_group = op.groups == 0 ? 1 : channels / op.groups;
  auto key = [&](const Shape& at) { return Shape{at[0], at[1] / per_group}; };
  std::map<Shape, Moments> moments;
  for (const auto& [index, values] : Groups(x[0], key))
    moments[index] = MomentsOf(values, true, static_cast<double>(op.epsilon));
  ForEach(y, [&](const Shape& at, double& out) {
    Moments m = moments[key(at)];
    size_t c = static_cast<size_t>(at[1]);
    out = (x[0].At(at) - m.mean) / m.deviation * x[1].data[c] + x[2].data[c];
  });
  return y;
}

Value Compute(const ChannelAffine& op, const Operands& x) {
  Value y = x.Output();
  ForEach(y, [&](const Shape& at, double& out) {
    size_t c = static_cast<size_t>(at[1]);
    out = Activate(op.activation, x[0].At(at) * x[1].data[c] + x[2].data[c]);
  });
  return y;
}

}  // namespace soter::reference
