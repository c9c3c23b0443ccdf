#pragma once

#include "owner/onnx/convert.h"

namespace soter {

// Compose writes the few canonical operators that one ONNX operator stands for.
class Compose {
 public:
  Compose(Conversion& conversion, const OnnxNode& node) : c_(conversion), node_(node) {}

  Result<ValueId> Emit(Op op, std::vector<ValueId> inputs) { return c_.Emit(node_, std::move(op), std::move(inputs)); }
  Result<ValueId> Apply(UnaryKind kind, ValueId x) { return Emit(Unary{kind}, {x}); }
  Result<ValueId> Apply(BinaryKind kind, ValueId a, ValueId b) { return Emit(Binary{kind}, {a, b}); }
  Result<ValueId> Select(ValueId condition, ValueId a, ValueId b) { return Emit(Where{}, {condition, a, b}); }
  Result<ValueId> To(DType dtype, ValueId x) { return TypeOf(x) == dtype ? Result<ValueId>(x) : Emit(Cast{dtype}, {x}); }

  // Reduced folds `x` over `axes` (all when kNoValue).
  Result<ValueId> Reduced(ReduceKind kind, ValueId x, ValueId axes, bool keep_dims);

  // Scalar is a constant of type `dtype`, which must hold `value` exactly. Errors: kUnsupported (bool, float16).
  Result<ValueId> Scalar(DType dtype, double value);
  ValueId Int64(int64_t value) { return c_.builder().AddConstant(Tensor::FromValues<int64_t>({}, {value})); }
  ValueId Int64s(std::vector<int64_t> values) { return c_.builder().AddInt64s(std::move(values)); }

  // RepeatPerAxis is the int64 vector [n, n, ...] of as many entries as `x` has axes from `axis` on.
  Result<ValueId> RepeatPerAxis(int64_t n, ValueId x, int64_t axis);
  // AlongAxis reshapes a vector so that it broadcasts along one axis of `x`.
  Result<ValueId> AlongAxis(ValueId vector, ValueId x, int64_t axis);
  // Positions is 0, 1, ... below the extent of `x` along `axis`; its shape broadcasts along that axis.
  Result<ValueId> Positions(ValueId x, int64_t axis);
  // AxesFrom is the int64 vector of the axes of `x` from `axis` on.
  Result<ValueId> AxesFrom(ValueId x, int64_t axis);

  DType TypeOf(ValueId value) const { return c_.builder().TypeOf(value); }

 private:
  Conversion& c_;
  const OnnxNode& node_;
};

}  // namespace soter
