#include <algorithm>

#include "common/graph/infer.h"

// Matrix products, normalisations and Softmax.
namespace soter {

InferredTypes Infer(const Linear&, const Operands& in) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  TRY(ExpectSameDType(in));
  if (in.rank(0) < 1 || in.rank(1) != 2 || in.shape(0).back() != in.shape(1)[1])
    return Malformed("x " + ShapeString(in.shape(0)) + " does not fit the weight " + ShapeString(in.shape(1)));
  Shape y = in.shape(0);
  y.back() = in.shape(1)[0];
  TRY(ExpectShape(in, 2, {y.back()}));
  TRY(ExpectShape(in, 3, y));
  return std::vector<TensorType>{{in.dtype(0), y}};
}

InferredTypes Infer(const MatMul& op, const Operands& in) {
  DType dtype = in.dtype(0);
  TRY(ExpectDType(in, 0, IsFloat(dtype) || dtype == DType::kInt32 || dtype == DType::kInt64));
  TRY(ExpectSameDType(in));
  Shape a = in.shape(0), b = in.shape(1);
  bool vector_a = a.size() == 1, vector_b = b.size() == 1;
  std::string misfit = ShapeString(a) + " and " + ShapeString(b) + " do not multiply";
  if (a.empty() || b.empty() || (vector_a && op.transpose_a) || (vector_b && op.transpose_b))
    return Malformed(misfit);
  if (vector_a) a = {1, a[0]};
  if (vector_b) b.push_back(1);
  if (op.transpose_a) std::swap(a.end()[-1], a.end()[-2]);
  if (op.transpose_b) std::swap(b.end()[-1], b.end()[-2]);
  if (a.end()[-1] != b.end()[-2]) return Malformed(misfit);
  Shape y = TRY(BroadcastShapes(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2)));
  if (!vector_a) y.push_back(a.end()[-2]);
  if (!vector_b) y.push_back(b.end()[-1]);
  return std::vector<TensorType>{{dtype, y}};
}

namespace {

// ExpectChannels checks x [n, c, ...] and per-channel operands from 1 on, each [c].
Status ExpectChannels(const Operands& in) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  TRY(ExpectSameDType(in));
  if (in.rank(0) < 2) return Malformed("operand 0 has no channel axis: " + ShapeString(in.shape(0)));
  for (size_t i = 1; i < in.size(); ++i) TRY(ExpectShape(in, i, {in.shape(0)[1]}));
  return {};
}

}  // namespace

InferredTypes Infer(const ChannelAffine&, const Operands& in) {
  TRY(ExpectChannels(in));
  return std::vector<TensorType>{in.type(0)};
}

InferredTypes Infer(const GroupNorm& op, const Operands& in) {
  TRY(ExpectChannels(in));
  if (op.groups > 0 && in.shape(0)[1] % op.groups != 0)
    return Malformed(ShapeString(in.shape(0)) + " does not fall into " + std::to_string(op.groups) + " groups");
  return std::vector<TensorType>{in.type(0)};
}

InferredTypes Infer(const Lrn&, const Operands& in) {
  TRY(ExpectChannels(in));
  return std::vector<TensorType>{in.type(0)};
}

InferredTypes Infer(const Softmax& op, const Operands& in) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  TRY(ResolveAxis(op.axis, in.rank(0)));
  return std::vector<TensorType>{in.type(0)};
}

InferredTypes Infer(const LayerNorm& op, const Operands& in) {
  TRY(ExpectDType(in, 0, IsFloat(in.dtype(0))));
  TRY(ExpectSameDType(in));
  int64_t axis = TRY(ResolveAxis(op.axis, in.rank(0)));
  Shape normalised(in.shape(0).begin() + axis, in.shape(0).end());
  for (size_t i = 1; i < in.size(); ++i) {
    if (!in.has(i)) continue;
    // Kernels read one factor and one offset for every normalised element: nothing smaller is broadcast.
    if (in.shape(i) != normalised)
      return Malformed("operand " + std::to_string(i) + " has shape " + ShapeString(in.shape(i)) + ", not " +
                       ShapeString(normalised));
  }
  return std::vector<TensorType>{in.type(0)};
}

}  // namespace soter
