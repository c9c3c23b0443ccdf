#pragma once

#include <initializer_list>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

// GraphWriter writes a graph node by node. It knows which values are constants, and a node whose operands all
// are is evaluated on the spot where that is cheap (owner/passes/evaluate.h), so that weights that a file
// transposes, casts or reshapes reach their operator as plain weights.
class GraphWriter {
 public:
  // Symbol returns the dimension called `name`, the same for the same name.
  Dim Symbol(const std::string& name);
  ValueId AddInput(std::string name, DType dtype, std::vector<Dim> shape);
  ValueId AddConstant(Tensor tensor, std::string name = "");
  ValueId AddInt64s(std::vector<int64_t> values);
  ValueId AddScalar(float value);
  void AddOutput(ValueId value) { graph_.outputs.push_back(value); }

  // Constant returns the tensor behind a value, or null when it is no constant (or was dropped).
  const Tensor* Constant(ValueId value) const;

  // TypeOf is the element type of a value that this writer made.
  DType TypeOf(ValueId value) const { return types_[value]; }

  // Emit appends a node with one output and returns that output. Errors: kMalformed (constant operands that do
  // not fit the operator).
  Result<ValueId> Emit(const std::string& name, Op op, std::vector<ValueId> inputs);
  // EmitMany appends a node with `output_count` outputs and evaluates nothing.
  std::vector<ValueId> EmitMany(const std::string& name, Op op, std::vector<ValueId> inputs, size_t output_count);

  // SetName names a value that has no name yet.
  void SetName(ValueId value, const std::string& name);

  // DropIfUnused frees a constant that no node refers to; the caller will not use it again.
  void DropIfUnused(ValueId value);

  // Take returns the graph, without constants that nothing refers to.
  Graph Take() &&;

 private:
  Graph graph_;
  std::unordered_map<std::string, uint32_t> symbols_;
  std::unordered_map<ValueId, size_t> constants_;  // value -> index into graph_.initializers
  ValueId AddValue(std::string name, DType dtype);
  // OutputType follows from the operator and its operands' types alone, as every rule of docs/spec/graph.md does.
  DType OutputType(const Op& op, const std::vector<ValueId>& inputs, size_t output) const;

  std::unordered_map<ValueId, size_t> uses_;
  std::vector<DType> types_;  // of each value
};

}  // namespace soter
