#include "common/base/checked.h"
#include "common/graph/infer.h"

// Operators that order, address or carry along an axis: CumSum, TopK, GatherNd, Scatter, Recurrent.
namespace soter {
namespace {

Status ExpectIndices(const Operands& in, size_t i) {
  return ExpectDType(in, i, in.dtype(i) == DType::kInt64 || in.dtype(i) == DType::kInt32);
}

Result<int64_t> OneInteger(const Operands& in, size_t i) {
  std::span<const int64_t> values = TRY(in.Integers(i));
  if (values.size() != 1) return Malformed("operand " + std::to_string(i) + " must be one integer");
  return values[0];
}

Error Misfit(const Operands& in, size_t a, size_t b) {
  return Malformed("operands " + std::to_string(a) + " " + ShapeString(in.shape(a)) + " and " + std::to_string(b) +
                   " " + ShapeString(in.shape(b)) + " do not fit");
}

// The shape of what indices [..., q] name in `data`: indices without its last axis, then data behind batch + q axes.
Result<Shape> NamedShape(const Operands& in, int64_t batch) {
  const Shape& data = in.shape(0);
  const Shape& indices = in.shape(1);
  if (indices.empty()) return Malformed("indices need at least one axis");
  int64_t depth = indices.back();
  if (depth < 1 || depth > static_cast<int64_t>(data.size()) - batch) return Misfit(in, 0, 1);
  Shape named(indices.begin(), indices.end() - 1);
  named.insert(named.end(), data.begin() + batch + depth, data.end());
  if (named.size() > kMaxRank) return Malformed("rank " + std::to_string(named.size()) + " is over the limit");
  return named;
}

}  // namespace

InferredTypes Infer(const CumSum&, const Operands& in) {
  TRY(ExpectDType(in, 0, IsNumeric(in.dtype(0))));
  (void)TRY(ResolveAxis(TRY(OneInteger(in, 1)), in.rank(0)));
  return std::vector<TensorType>{in.type(0)};
}

InferredTypes Infer(const TopK& op, const Operands& in) {
  TRY(ExpectDType(in, 0, IsNumeric(in.dtype(0))));
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0))), k = TRY(OneInteger(in, 1));
  Shape y = in.shape(0);
  if (k < 0 || k > y[axis]) return Malformed("k is " + std::to_string(k) + " of " + std::to_string(y[axis]));
  y[axis] = k;
  return std::vector<TensorType>{{in.dtype(0), y}, {DType::kInt64, y}};
}

InferredTypes Infer(const GatherNd& op, const Operands& in) {
  TRY(ExpectIndices(in, 1));
  if (op.batch_dims >= std::min(in.rank(0), in.rank(1))) return Malformed("batch_dims exceeds the operands' axes");
  for (int64_t i = 0; i < op.batch_dims; ++i)
    if (in.shape(0)[i] != in.shape(1)[i]) return Misfit(in, 0, 1);
  Shape named = TRY(NamedShape(in, op.batch_dims));
  return std::vector<TensorType>{{in.dtype(0), std::move(named)}};
}

InferredTypes Infer(const Scatter& op, const Operands& in) {
  TRY(ExpectIndices(in, 1));
  if (in.dtype(2) != in.dtype(0)) return Malformed("data and updates have different types");
  if (op.reduction != ScatterReduction::kNone) TRY(ExpectDType(in, 0, IsNumeric(in.dtype(0))));
  if (!op.elements) {
    if (in.shape(2) != TRY(NamedShape(in, 0))) return Misfit(in, 1, 2);
    return std::vector<TensorType>{in.type(0)};
  }
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0)));
  if (in.shape(1) != in.shape(2)) return Misfit(in, 1, 2);
  if (in.rank(1) != in.rank(0)) return Misfit(in, 0, 1);
  for (int64_t i = 0; i < in.rank(0); ++i)
    if (i != axis && in.shape(1)[i] > in.shape(0)[i]) return Misfit(in, 0, 1);
  return std::vector<TensorType>{in.type(0)};
}

int64_t GateCount(RecurrentKind kind) {
  return kind == RecurrentKind::kRnn ? 1 : kind == RecurrentKind::kGru ? 3 : 4;
}

InferredTypes Infer(const Recurrent& op, const Operands& in) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  for (size_t i : {1, 2, 4, 5, 6})
    if (in.has(i) && in.dtype(i) != in.dtype(0))
      return Malformed("operand " + std::to_string(i) + " has another type");
  if (in.rank(0) != 3 || in.rank(1) != 2) return Misfit(in, 0, 1);
  int64_t sequence = in.shape(0)[0], batch = in.shape(0)[1], units = in.shape(1)[1];
  std::optional<int64_t> rows = CheckedMul(GateCount(op.kind), units);
  if (!rows || units < 1 || in.shape(1)[0] != *rows || in.shape(0)[2] != *rows) return Misfit(in, 0, 1);
  TRY(ExpectShape(in, 2, {*rows}));
  if (in.has(3)) TRY(ExpectIndices(in, 3));
  TRY(ExpectShape(in, 3, {batch}));
  TRY(ExpectShape(in, 4, {batch, units}));
  TRY(ExpectShape(in, 5, {batch, units}));
  if (in.has(6)) TRY(ExpectShape(in, 6, {*rows / 4 * 3}));
  std::vector<TensorType> types = {{in.dtype(0), {sequence, batch, units}}, {in.dtype(0), {batch, units}}};
  if (op.kind == RecurrentKind::kLstm) types.push_back(types[1]);
  return types;
}

}  // namespace soter
