#pragma once

#include <vector>

#include "common/graph/bind.h"

// The oracle of every backend: each operator as its definition says, in double precision, with plain loops and
// without any library. Slow; nothing here is shared with the engines that are tested against it.
namespace soter::reference {

// Value is a tensor whose elements, of whatever type, are doubles (integers are exact to 2^53).
struct Value {
  TensorType type;
  std::vector<double> data;

  const Shape& shape() const { return type.shape; }
  double At(const Shape& index) const;           // exact index
  double Broadcast(const Shape& index) const;    // index of a larger shape, by NumPy's rules
};

Value FromTensor(const Tensor& tensor);
Tensor ToTensor(const Value& value);  // rounds to the value's type

// Interpret computes the outputs of `graph`. Errors: kUnsupported (Range, or types not held here).
Result<std::vector<Tensor>> Interpret(const StaticGraph& graph, const std::vector<Tensor>& inputs);

// Operands of one node; an absent one is null.
struct Operands {
  const StaticGraph& graph;
  const Node& node;
  std::vector<const Value*> in;

  bool Has(size_t i) const { return i < in.size() && in[i] != nullptr; }
  const Value& operator[](size_t i) const { return *in[i]; }
  Value Output(size_t i = 0) const {
    Value value{graph.type(node.outputs[i]), {}};
    value.data.resize(static_cast<size_t>(ElementCount(value.type.shape).value()));
    return value;
  }
  std::vector<int64_t> Integers(size_t i) const { return {in[i]->data.begin(), in[i]->data.end()}; }
};

// Advance moves `index` to the next element of `shape` in row-major order; false after the last.
bool Advance(Shape& index, const Shape& shape);
size_t Offset(const Shape& index, const Shape& shape);

// ForEach calls f(index, element) for every element of `value`.
template <typename F>
void ForEach(Value& value, F f) {
  if (value.data.empty()) return;
  Shape index(value.shape().size(), 0);
  size_t i = 0;
  do f(const_cast<const Shape&>(index), value.data[i++]);
  while (Advance(index, value.shape()));
}

// Families of operators, each in its own file.
Value Compute(const Conv& op, const Operands& x);
Value Compute(const ConvTranspose& op, const Operands& x);
Value Compute(const Pool& op, const Operands& x);
Value Compute(const Lrn& op, const Operands& x);
Value Compute(const Linear& op, const Operands& x);
Value Compute(const MatMul& op, const Operands& x);
Value Compute(const Reduce& op, const Operands& x);
Value Compute(const Softmax& op, const Operands& x);
Value Compute(const LayerNorm& op, const Operands& x);
Value Compute(const GroupNorm& op, const Operands& x);
Value Compute(const ChannelAffine& op, const Operands& x);
Value Compute(const Unary& op, const Operands& x);
Value Compute(const Binary& op, const Operands& x);
Value Compute(const Where& op, const Operands& x);
Value Compute(const Transpose& op, const Operands& x);
Value Compute(const Concat& op, const Operands& x);
Value Compute(const Slice& op, const Operands& x);
Value Compute(const Pad& op, const Operands& x);
Value Compute(const Gather& op, const Operands& x);
Value Compute(const Expand& op, const Operands& x);
Value Compute(const Tile& op, const Operands& x);
Value Compute(const Cast& op, const Operands& x);
Value Compute(const Trilu& op, const Operands& x);
Value Compute(const Resize& op, const Operands& x);
Value Compute(const DepthToSpace& op, const Operands& x);
Value Compute(const Fill& op, const Operands& x);
Value Compute(const CumSum& op, const Operands& x);
Value Compute(const GatherNd& op, const Operands& x);
Value Compute(const Scatter& op, const Operands& x);
std::vector<Value> ComputeTopK(const TopK& op, const Operands& x);
std::vector<Value> ComputeRecurrent(const Recurrent& op, const Operands& x);
std::vector<Value> ComputeSplit(const Split& op, const Operands& x);

inline double Activate(Activation activation, double y) { return activation == Activation::kRelu && y < 0 ? 0.0 : y; }

}  // namespace soter::reference
