#include "owner/onnx/compose.h"

#include <algorithm>

namespace soter {
namespace {

template <typename T>
Tensor ScalarOf(double value) {
  return Tensor::FromValues<T>({}, {static_cast<T>(value)});
}

}  // namespace

Result<ValueId> Compose::Reduced(ReduceKind kind, ValueId x, ValueId axes, bool keep_dims) {
  std::vector<ValueId> operands = {x};
  if (axes != kNoValue) operands.push_back(axes);
  return Emit(Reduce{.kind = kind, .keep_dims = keep_dims}, std::move(operands));
}

Result<ValueId> Compose::Scalar(DType dtype, double value) {
  switch (dtype) {
    case DType::kFloat32: return c_.builder().AddConstant(ScalarOf<float>(value));
    case DType::kInt8: return c_.builder().AddConstant(ScalarOf<int8_t>(value));
    case DType::kUint8: return c_.builder().AddConstant(ScalarOf<uint8_t>(value));
    case DType::kInt32: return c_.builder().AddConstant(ScalarOf<int32_t>(value));
    case DType::kInt64: return c_.builder().AddConstant(ScalarOf<int64_t>(value));
    default: return Unsupported(std::string("type ") + DTypeName(dtype));
  }
}

Result<ValueId> Compose::RepeatPerAxis(int64_t n, ValueId x, int64_t axis) {
  if (axis < 0) return Int64s(std::vector<int64_t>(static_cast<size_t>(-axis), n));
  if (const Tensor* tensor = c_.Constant(x)) {
    const int64_t rank = static_cast<int64_t>(tensor->shape().size());
    return Int64s(std::vector<int64_t>(static_cast<size_t>(std::max<int64_t>(rank - axis, 0)), n));
  }
  const ValueId rest = TRY(Emit(ShapeOf{.start = axis}, {x}));
  const ValueId count = TRY(Emit(ShapeOf{}, {rest}));
  return Emit(Fill{}, {count, Int64(n)});
}

Result<ValueId> Compose::AlongAxis(ValueId vector, ValueId x, int64_t axis) {
  if (axis == -1) return vector;
  const ValueId ones = TRY(RepeatPerAxis(1, x, axis + 1));
  const ValueId shape = TRY(Emit(Concat{0}, {Int64s({-1}), ones}));
  return Emit(Reshape{}, {vector, shape});
}

Result<ValueId> Compose::Positions(ValueId x, int64_t axis) {
  const int64_t end = axis == -1 ? INT64_MAX : axis + 1;
  const ValueId extent = TRY(Emit(ShapeOf{.start = axis, .end = end}, {x}));
  const ValueId limit = TRY(Emit(Squeeze{}, {extent, Int64s({0})}));
  const ValueId positions = TRY(Emit(Range{}, {Int64(0), limit, Int64(1)}));
  return AlongAxis(positions, x, axis);
}

Result<ValueId> Compose::AxesFrom(ValueId x, int64_t axis) {
  if (axis < 0) {
    std::vector<int64_t> axes;
    for (int64_t i = axis; i < 0; ++i) axes.push_back(i);
    return Int64s(std::move(axes));
  }
  const ValueId rank = TRY(Emit(ShapeOf{}, {TRY(Emit(ShapeOf{}, {x}))}));
  const ValueId limit = TRY(Emit(Squeeze{}, {rank, Int64s({0})}));
  return Emit(Range{}, {Int64(axis), limit, Int64(1)});
}

}  // namespace soter
