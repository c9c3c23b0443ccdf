#include <algorithm>

#include "common/graph/infer.h"

// Elementwise operators and reductions.
namespace soter {
namespace {

bool UnaryAccepts(UnaryKind kind, DType dtype) {
  switch (kind) {
    case UnaryKind::kIdentity: return true;
    case UnaryKind::kNot: return dtype == DType::kBool;
    case UnaryKind::kRelu: case UnaryKind::kNeg: case UnaryKind::kAbs: case UnaryKind::kSign: case UnaryKind::kClip:
      return IsNumeric(dtype);
    default: return IsFloat(dtype);
  }
}

bool IsComparison(BinaryKind kind) { return kind >= BinaryKind::kEqual && kind <= BinaryKind::kGreaterOrEqual; }
bool IsLogic(BinaryKind kind) { return kind >= BinaryKind::kAnd && kind <= BinaryKind::kXor; }

bool BinaryAccepts(BinaryKind kind, DType dtype) {
  if (kind == BinaryKind::kEqual) return true;
  if (IsLogic(kind)) return dtype == DType::kBool;
  if (kind == BinaryKind::kMod) return IsNumeric(dtype) && !IsFloat(dtype);
  return IsNumeric(dtype);
}

}  // namespace

InferredTypes Infer(const Unary& op, const Operands& in) {
  TRY(ExpectDType(in, 0, UnaryAccepts(op.kind, in.dtype(0))));
  bool gives_bool = op.kind == UnaryKind::kIsNan || op.kind == UnaryKind::kIsInf;
  return std::vector<TensorType>{{gives_bool ? DType::kBool : in.dtype(0), in.shape(0)}};
}

InferredTypes Infer(const Binary& op, const Operands& in) {
  TRY(ExpectDType(in, 0, BinaryAccepts(op.kind, in.dtype(0))));
  TRY(ExpectSameDType(in));
  Shape y = TRY(BroadcastShapes(in.shape(0), in.shape(1)));
  if (op.kind == BinaryKind::kPRelu && y != in.shape(0))
    return Malformed("the slope " + ShapeString(in.shape(1)) + " does not broadcast to " + ShapeString(in.shape(0)));
  DType dtype = IsComparison(op.kind) || IsLogic(op.kind) ? DType::kBool : in.dtype(0);
  if (op.activation != Activation::kNone && dtype == DType::kBool) return Malformed("a bool has no activation");
  return std::vector<TensorType>{{dtype, y}};
}

InferredTypes Infer(const Where&, const Operands& in) {
  TRY(ExpectDType(in, 0, in.dtype(0) == DType::kBool));
  if (in.dtype(1) != in.dtype(2))
    return Malformed(TypeString(in.type(1)) + " and " + TypeString(in.type(2)) + " differ in type");
  Shape branches = TRY(BroadcastShapes(in.shape(1), in.shape(2)));
  Shape y = TRY(BroadcastShapes(in.shape(0), branches));
  return std::vector<TensorType>{{in.dtype(1), std::move(y)}};
}

InferredTypes Infer(const Cast& op, const Operands& in) { return std::vector<TensorType>{{op.to, in.shape(0)}}; }

InferredTypes Infer(const Trilu&, const Operands& in) {
  if (in.rank(0) < 2) return Malformed("operand 0 is no matrix: " + ShapeString(in.shape(0)));
  if (in.has(1) && (in.dtype(1) != DType::kInt64 || TRY(ElementCount(in.shape(1))) != 1))
    return Malformed("operand 1 must be one int64, not " + TypeString(in.type(1)));
  return std::vector<TensorType>{in.type(0)};
}

Result<std::vector<bool>> ResolveReducedAxes(const Reduce& op, const Operands& in) {
  int64_t rank = in.rank(0);
  std::span<const int64_t> axes;
  if (in.has(1)) axes = TRY(in.Integers(1));
  std::vector<bool> reduced(rank, false);
  if (op.spatial) {
    if (rank < 3) return Malformed("operand 0 has no spatial axes: " + ShapeString(in.shape(0)));
    std::fill(reduced.begin() + 2, reduced.end(), true);
  } else if (axes.empty()) {
    reduced.assign(rank, !op.empty_axes_is_noop);
  } else {
    for (int64_t axis : TRY(ResolveAxes(axes, rank))) reduced[axis] = true;
  }
  return reduced;
}

InferredTypes Infer(const Reduce& op, const Operands& in) {
  bool arg = op.kind == ReduceKind::kArgMax || op.kind == ReduceKind::kArgMin;
  bool float_only = op.kind == ReduceKind::kL2 || op.kind == ReduceKind::kLogSum || op.kind == ReduceKind::kLogSumExp;
  TRY(ExpectDType(in, 0, float_only ? IsFloat(in.dtype(0)) : IsNumeric(in.dtype(0))));
  std::vector<bool> reduced = TRY(ResolveReducedAxes(op, in));
  if (arg && TRY(in.Integers(1)).size() != 1) return Malformed("an index of an extreme needs exactly one axis");
  Shape y;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (arg && reduced[i] && in.shape(0)[i] == 0) return Malformed("an empty axis has no extreme");
    if (!reduced[i]) y.push_back(in.shape(0)[i]);
    else if (op.keep_dims) y.push_back(1);
  }
  return std::vector<TensorType>{{arg ? DType::kInt64 : in.dtype(0), y}};
}

}  // namespace soter
