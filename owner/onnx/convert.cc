#include "owner/onnx/convert.h"

#include <algorithm>
#include <map>

namespace soter {
namespace {

const std::map<std::pair<std::string, std::string>, Converter>& Operators() {
  static const auto* const kOperators = [] {
    auto* operators = new std::map<std::pair<std::string, std::string>, Converter>;
    for (auto family : {ConstantOperators(), EinsumOperators(), ElementwiseOperators(), ImageOperators(),
                        LinearOperators(), LossOperators(), NormOperators(), PoolOperators(), QuantisedOperators(),
                        RecurrentOperators(), ReduceOperators(), SelectOperators(), ShapeOperators()}) {
      for (const OperatorRow& row : family) operators->emplace(std::pair(row.domain, row.op_type), row.convert);
    }
    return operators;
  }();
  return *kOperators;
}

bool StartsWith(const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; }

}  // namespace

Converter FindConverter(const std::string& domain, const std::string& op_type) {
  const auto found = Operators().find({domain, op_type});
  return found != Operators().end() ? found->second : nullptr;
}

std::string WhyUnsupported(const std::string& domain, const std::string& op_type) {
  if (!domain.empty()) {
    return "operators of the domain '" + domain + "' are not supported; export with ONNX's own operators";
  }
  if (op_type == "If" || op_type == "Loop" || op_type == "Scan") {
    return "control flow with subgraphs is not supported; export the model for one path, with loops unrolled";
  }
  if (StartsWith(op_type, "Sequence") || op_type == "ConcatFromSequence" || op_type == "SplitToSequence" ||
      StartsWith(op_type, "Optional")) {
    return "sequences and optionals are not supported; only tensors are";
  }
  if (StartsWith(op_type, "String") || op_type == "TfIdfVectorizer" || op_type == "RegexFullMatch") {
    return "strings are not supported; only numeric tensors are";
  }
  if (StartsWith(op_type, "Random") || op_type == "Bernoulli" || op_type == "Multinomial") {
    return "random operators are not supported: a result could not be checked";
  }
  return "the operator is not supported; docs/operators.md lists those that are";
}

std::vector<std::string> SupportedOperators() {
  std::vector<std::string> names;
  for (const auto& [key, converter] : Operators()) {
    names.push_back(key.first.empty() ? key.second : key.first + "." + key.second);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void Conversion::AddNote(std::string note) {
  if (notes_.insert(note).second) report_->notes.push_back(std::move(note));
}

void Conversion::Bind(const std::string& name, ValueId value) {
  Assign(name, value);
  builder_.SetName(value, name);
}

void Conversion::BindQuantized(const std::string& name, ValueId original) {
  Assign(name, original);
  quantized_.insert(name);
}

void Conversion::Assign(const std::string& name, ValueId value) {
  values_.insert_or_assign(name, value);
  if (uses_left_.contains(name)) ++holders_[value];
}

ValueId Conversion::Lookup(const std::string& name) const {
  const auto found = values_.find(name);
  return found != values_.end() ? found->second : kNoValue;
}

void Conversion::MarkGraphOutput(const std::string& name) {
  graph_outputs_.insert(name);
  ExpectUse(name);  // which never ends
}

void Conversion::FinishUse(const std::string& name) {
  if (--uses_left_[name] > 0) return;
  const ValueId value = Lookup(name);
  if (value != kNoValue && --holders_[value] == 0) builder_.DropIfUnused(value);
}

Result<ValueId> Conversion::Input(const OnnxNode& node, size_t i) const {
  const ValueId value = TRY(OptionalInput(node, i));
  if (value == kNoValue) return Malformed("operand " + std::to_string(i) + " is missing");
  return value;
}

Result<ValueId> Conversion::OptionalInput(const OnnxNode& node, size_t i) const {
  const std::string name = node.input(i);
  if (name.empty()) return kNoValue;
  if (IsQuantized(name)) {
    return Unsupported("operand '" + name + "' is a quantised tensor; only DequantizeLinear may read it");
  }
  const ValueId value = Lookup(name);
  if (value == kNoValue) return Malformed("operand '" + name + "' is not defined");
  return value;
}

Result<std::vector<ValueId>> Conversion::AllInputs(const OnnxNode& node) const {
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < node.input_count(); ++i) inputs.push_back(TRY(Input(node, i)));
  return inputs;
}

Result<const Tensor*> Conversion::ConstantInput(const OnnxNode& node, size_t i) const {
  const Tensor* tensor = Constant(TRY(Input(node, i)));
  if (tensor == nullptr) {
    return Unsupported("operand " + std::to_string(i) + " ('" + node.input(i) +
                       "') is computed at run time; it must be a constant");
  }
  return tensor;
}

Result<ValueId> Conversion::Int64Input(const OnnxNode& node, size_t i) {
  const ValueId value = TRY(OptionalInput(node, i));
  const Tensor* tensor = value == kNoValue ? nullptr : Constant(value);
  if (tensor == nullptr || tensor->dtype() != DType::kInt32) return value;
  return Emit(node, Cast{DType::kInt64}, {value});
}

Result<ValueId> Conversion::Emit(const OnnxNode& node, Op op, std::vector<ValueId> inputs) {
  return builder_.Emit(node.name(), std::move(op), std::move(inputs));
}

Status Conversion::EmitOutput(const OnnxNode& node, Op op, std::vector<ValueId> inputs) {
  const ValueId output = TRY(Emit(node, std::move(op), std::move(inputs)));
  Bind(node.output(0), output);
  return {};
}

Status Conversion::SetOutput(const OnnxNode& node, ValueId value) {
  if (!IsGraphOutput(node.output(0))) {
    Assign(node.output(0), value);
    return {};
  }
  return EmitOutput(node, Unary{UnaryKind::kIdentity}, {value});
}

}  // namespace soter
