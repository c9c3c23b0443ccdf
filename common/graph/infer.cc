#include "common/graph/infer.h"

#include <algorithm>

#include "common/graph/node_rules.h"

namespace soter {

Result<std::span<const int64_t>> Operands::Integers(size_t i) const {
  std::string label = "operand " + std::to_string(i);
  if (dtype(i) != DType::kInt64 || rank(i) > 1)
    return Malformed(label + " must be a vector of int64, not " + TypeString(type(i)));
  if (constant(i) == nullptr) return Unsupported(label + " depends on data; it must follow from shapes alone");
  return constant(i)->As<int64_t>();
}

bool IsFloat(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kFloat16;
}

bool IsNumeric(DType dtype) { return dtype != DType::kBool; }

Status ExpectDType(const Operands& in, size_t i, bool accepted) {
  if (!accepted) return Malformed("operand " + std::to_string(i) + " cannot be " + TypeString(in.type(i)));
  return {};
}

Status ExpectSameDType(const Operands& in) {
  for (size_t i = 1; i < in.size(); ++i)
    if (in.has(i) && in.dtype(i) != in.dtype(0))
      return Malformed("operand " + std::to_string(i) + " is " + DTypeName(in.dtype(i)) + " but operand 0 is " +
                       DTypeName(in.dtype(0)));
  return {};
}

Status ExpectShape(const Operands& in, size_t i, const Shape& shape) {
  if (in.has(i) && in.shape(i) != shape)
    return Malformed("operand " + std::to_string(i) + " has shape " + ShapeString(in.shape(i)) + ", not " +
                     ShapeString(shape));
  return {};
}

Result<int64_t> ResolveAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return Malformed("axis " + std::to_string(axis) + " does not exist in rank " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

Result<std::vector<int64_t>> ResolveAxes(std::span<const int64_t> axes, int64_t rank) {
  if (axes.size() > static_cast<size_t>(rank))
    return Malformed(std::to_string(axes.size()) + " axes are named but the rank is " + std::to_string(rank));
  std::vector<int64_t> resolved;
  for (int64_t axis : axes) {
    int64_t positive = TRY(ResolveAxis(axis, rank));
    if (std::find(resolved.begin(), resolved.end(), positive) != resolved.end())
      return Malformed("axis " + std::to_string(axis) + " is named twice");
    resolved.push_back(positive);
  }
  return resolved;
}

Result<Shape> BroadcastShapes(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape result = longer;
  size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) {
    int64_t& extent = result[offset + i];
    if (extent != shorter[i] && extent != 1 && shorter[i] != 1)
      return Malformed("shapes " + ShapeString(a) + " and " + ShapeString(b) + " do not broadcast");
    if (extent == 1) extent = shorter[i];
  }
  return result;
}

InferredTypes InferTypes(const Node& node, std::span<const TensorType* const> input_types,
                         std::span<const Tensor* const> constants) {
  CHECK(input_types.size() == node.inputs.size(), "one type per operand");
  for (size_t i = 0; i < input_types.size(); ++i)
    CHECK((input_types[i] == nullptr) == (node.inputs[i] == kNoValue), "an operand and its type go together");
  TRY(CheckNode(node));
  for (const TensorType* type : input_types)
    if (type != nullptr) TRY(SizeBytes(*type));
  Operands operands(input_types, constants, node.outputs.size());
  std::vector<TensorType> types = TRY(std::visit([&](const auto& op) { return Infer(op, operands); }, node.op));
  CHECK(types.size() == node.outputs.size(), "one type per output");
  for (const TensorType& type : types) TRY(SizeBytes(type));
  return types;
}

}  // namespace soter
