#include "tests/conformance/reference.h"

#include <cmath>

namespace soter::reference {

bool Advance(Shape& index, const Shape& shape) {
  for (size_t d = shape.size(); d-- > 0;) {
    if (++index[d] < shape[d]) return true;
    index[d] = 0;
  }
  return false;
}

size_t Offset(const Shape& index, const Shape& shape) {
  int64_t offset = 0;
  for (size_t d = 0; d < shape.size(); ++d) offset = offset * shape[d] + index[d];
  return static_cast<size_t>(offset);
}

double Value::At(const Shape& index) const { return data[Offset(index, type.shape)]; }

double Value::Broadcast(const Shape& index) const {
  Shape own(index.end() - static_cast<std::ptrdiff_t>(type.shape.size()), index.end());
  for (size_t d = 0; d < own.size(); ++d) {
    if (type.shape[d] == 1) own[d] = 0;
  }
  return At(own);
}

namespace {

template <typename T>
Value Widen(const Tensor& tensor) {
  auto elements = tensor.As<T>();
  return {tensor.type(), std::vector<double>(elements.begin(), elements.end())};
}

template <typename T>
Tensor Narrow(const Value& value) {
  Tensor tensor = Tensor::Allocate(value.type).value();
  auto elements = tensor.MutableAs<T>();
  for (size_t i = 0; i < elements.size(); ++i) elements[i] = static_cast<T>(value.data[i]);
  return tensor;
}

}  // namespace

Value FromTensor(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kFloat64: return Widen<double>(tensor);
    case DType::kInt8: return Widen<int8_t>(tensor);
    case DType::kUint8: return Widen<uint8_t>(tensor);
    case DType::kInt32: return Widen<int32_t>(tensor);
    case DType::kInt64: return Widen<int64_t>(tensor);
    case DType::kBool: return Widen<bool>(tensor);
    default: return Widen<float>(tensor);
  }
}

Tensor ToTensor(const Value& value) {
  switch (value.type.dtype) {
    case DType::kFloat64: return Narrow<double>(value);
    case DType::kInt8: return Narrow<int8_t>(value);
    case DType::kUint8: return Narrow<uint8_t>(value);
    case DType::kInt32: return Narrow<int32_t>(value);
    case DType::kInt64: return Narrow<int64_t>(value);
    case DType::kBool: return Narrow<bool>(value);
    default: return Narrow<float>(value);
  }
}

namespace {

Value Reshaped(const Operands& x) {
  Value y = x.Output();
  y.data = x[0].data;
  return y;
}

Value ShapeValue(const ShapeOf& op, const Operands& x) {
  Value y = x.Output();
  int64_t rank = static_cast<int64_t>(x[0].shape().size());
  int64_t start = std::min(std::max<int64_t>(op.start < 0 ? op.start + rank : op.start, 0), rank);
  for (size_t i = 0; i < y.data.size(); ++i)
    y.data[i] = static_cast<double>(x[0].shape()[static_cast<size_t>(start) + i]);
  return y;
}

Result<std::vector<Value>> ComputeNode(const Operands& x) {
  return std::visit([&](const auto& op) -> Result<std::vector<Value>> {
    using T = std::decay_t<decltype(op)>;
    if constexpr (std::is_same_v<T, Split>) return ComputeSplit(op, x);
    else if constexpr (std::is_same_v<T, TopK>) return ComputeTopK(op, x);
    else if constexpr (std::is_same_v<T, Recurrent>) return ComputeRecurrent(op, x);
    else if constexpr (std::is_same_v<T, Reshape> || std::is_same_v<T, Flatten> || std::is_same_v<T, Squeeze> ||
                       std::is_same_v<T, Unsqueeze>) return std::vector<Value>{Reshaped(x)};
    else if constexpr (std::is_same_v<T, ShapeOf>) return std::vector<Value>{ShapeValue(op, x)};
    else if constexpr (std::is_same_v<T, Range>) return Unsupported("Range is evaluated by Bind");
    else return std::vector<Value>{Compute(op, x)};
  }, x.node.op);
}

}  // namespace

Result<std::vector<Tensor>> Interpret(const StaticGraph& graph, const std::vector<Tensor>& inputs) {
  const Graph& g = graph.graph();
  std::vector<Value> values(g.value_names.size());
  for (size_t i = 0; i < inputs.size(); ++i) values[g.inputs[i].value] = FromTensor(inputs[i]);
  for (const Initializer& initializer : g.initializers) {
    if (initializer.data) values[initializer.value] = FromTensor(*initializer.data);
  }
  for (const Node& node : g.nodes) {
    Operands x{graph, node, {}};
    for (ValueId value : node.inputs) x.in.push_back(value == kNoValue ? nullptr : &values[value]);
    std::vector<Value> outputs = TRY(ComputeNode(x));
    for (size_t i = 0; i < outputs.size(); ++i) values[node.outputs[i]] = std::move(outputs[i]);
  }
  std::vector<Tensor> results;
  for (ValueId value : g.outputs) results.push_back(ToTensor(values[value]));
  return results;
}

}  // namespace soter::reference
