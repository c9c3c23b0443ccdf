#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "owner/onnx/import.h"
#include "owner/onnx/onnx_node.h"
#include "owner/onnx/tensor_data.h"
#include "owner/passes/graph_writer.h"

namespace soter {

// Conversion is the state that the operators' converters share: the graph so far, and what each ONNX name means.
class Conversion {
 public:
  Conversion(TensorReader* tensors, ImportReport* report) : tensors_(tensors), report_(report) {}

  GraphWriter& builder() { return builder_; }
  TensorReader& tensors() { return *tensors_; }
  void AddNote(std::string note);

  // Bind gives an ONNX name its value, and the value the name unless it has one.
  void Bind(const std::string& name, ValueId value);
  bool IsKnown(const std::string& name) const { return values_.contains(name); }
  // Lookup returns kNoValue for a name that nothing defined.
  ValueId Lookup(const std::string& name) const;

  // An output's value may not be another name's too, so that every output of the graph keeps its own.
  void MarkGraphOutput(const std::string& name);
  bool IsGraphOutput(const std::string& name) const { return graph_outputs_.contains(name); }

  // ExpectUse announces, before anything is converted, that a node will read `name`; FinishUse says that it has.
  // A constant whose names are all read for the last time, and that no converted node refers to, is freed.
  void ExpectUse(const std::string& name) { ++uses_left_[name]; }
  void FinishUse(const std::string& name);

  // Input returns the value of operand i. Errors: kMalformed (absent), kUnsupported (a quantised tensor).
  Result<ValueId> Input(const OnnxNode& node, size_t i) const;
  // OptionalInput returns kNoValue for an absent operand.
  Result<ValueId> OptionalInput(const OnnxNode& node, size_t i) const;
  Result<std::vector<ValueId>> AllInputs(const OnnxNode& node) const;

  // ConstantInput returns the tensor behind operand i. Errors: kUnsupported (it is computed at run time).
  Result<const Tensor*> ConstantInput(const OnnxNode& node, size_t i) const;
  // Int64Input returns operand i, an integer constant as int64. Absent: kNoValue.
  Result<ValueId> Int64Input(const OnnxNode& node, size_t i);

  const Tensor* Constant(ValueId value) const { return builder_.Constant(value); }

  // Emit appends an operator that computes a value inside the node's conversion.
  Result<ValueId> Emit(const OnnxNode& node, Op op, std::vector<ValueId> inputs);
  // EmitOutput appends the operator that computes the node's first and only output.
  Status EmitOutput(const OnnxNode& node, Op op, std::vector<ValueId> inputs);
  // SetOutput lets the node's first output be `value`, which exists.
  Status SetOutput(const OnnxNode& node, ValueId value);

  // A quantised tensor is known by what it was before, for DequantizeLinear to return to; nobody else may read it.
  void BindQuantized(const std::string& name, ValueId original);
  bool IsQuantized(const std::string& name) const { return quantized_.contains(name); }

 private:
  void Assign(const std::string& name, ValueId value);

  GraphWriter builder_;
  TensorReader* tensors_;
  ImportReport* report_;
  std::unordered_map<std::string, ValueId> values_;
  std::unordered_map<std::string, size_t> uses_left_;
  std::unordered_map<ValueId, size_t> holders_;  // names of a value that are still to be read
  std::unordered_set<std::string> quantized_, graph_outputs_, notes_;
};

// A Converter appends what one ONNX node means. Errors: kUnsupported (goes into the report, with the node),
// kMalformed and others (end the import).
using Converter = Status (*)(Conversion& conversion, const OnnxNode& node);

struct OperatorRow {
  const char* op_type;
  Converter convert;
  const char* domain = "";
};

// The operators of each family (convert_*.cc).
std::span<const OperatorRow> ConstantOperators();
std::span<const OperatorRow> EinsumOperators();
std::span<const OperatorRow> ElementwiseOperators();
std::span<const OperatorRow> ImageOperators();
std::span<const OperatorRow> LinearOperators();
std::span<const OperatorRow> LossOperators();
std::span<const OperatorRow> NormOperators();
std::span<const OperatorRow> PoolOperators();
std::span<const OperatorRow> QuantisedOperators();
std::span<const OperatorRow> RecurrentOperators();
std::span<const OperatorRow> ReduceOperators();
std::span<const OperatorRow> SelectOperators();
std::span<const OperatorRow> ShapeOperators();

// FindConverter returns the converter of an operator, or null; then WhyUnsupported says why and what is supported.
Converter FindConverter(const std::string& domain, const std::string& op_type);
std::string WhyUnsupported(const std::string& domain, const std::string& op_type);

// SupportedOperators lists the names that FindConverter knows, sorted; those of other domains as "domain.Name".
std::vector<std::string> SupportedOperators();

}  // namespace soter
