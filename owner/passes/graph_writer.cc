#include "owner/passes/graph_writer.h"

#include <algorithm>

#include "owner/passes/evaluate.h"

namespace soter {

Dim GraphWriter::Symbol(const std::string& name) {
  const auto [found, is_new] = symbols_.try_emplace(name, static_cast<uint32_t>(graph_.symbols.size()));
  if (is_new) graph_.symbols.push_back(name);
  return Dim::Symbol(found->second);
}

ValueId GraphWriter::AddInput(std::string name, DType dtype, std::vector<Dim> shape) {
  const ValueId value = AddValue(std::move(name), dtype);
  graph_.inputs.push_back({value, dtype, std::move(shape)});
  return value;
}

ValueId GraphWriter::AddConstant(Tensor tensor, std::string name) {
  const ValueId value = AddValue(std::move(name), tensor.dtype());
  constants_[value] = graph_.initializers.size();
  TensorType type = tensor.type();
  graph_.initializers.push_back({value, std::move(type), std::make_shared<const Tensor>(std::move(tensor))});
  return value;
}

ValueId GraphWriter::AddInt64s(std::vector<int64_t> values) {
  return AddConstant(Tensor::FromValues<int64_t>({static_cast<int64_t>(values.size())}, values));
}

ValueId GraphWriter::AddScalar(float value) { return AddConstant(Tensor::FromValues<float>({}, {value})); }

const Tensor* GraphWriter::Constant(ValueId value) const {
  const auto found = constants_.find(value);
  return found != constants_.end() ? graph_.initializers[found->second].data.get() : nullptr;
}

Result<ValueId> GraphWriter::Emit(const std::string& name, Op op, std::vector<ValueId> inputs) {
  std::vector<const Tensor*> constants;
  for (ValueId input : inputs) constants.push_back(input != kNoValue ? Constant(input) : nullptr);
  Node node{name, std::move(op), std::move(inputs), {kNoValue}};  // the output gets its id below
  std::optional<Tensor> folded = TRY(EvaluateNode(node, constants));
  if (folded.has_value()) return AddConstant(std::move(*folded));
  return EmitMany(name, std::move(node.op), std::move(node.inputs), 1).front();
}

std::vector<ValueId> GraphWriter::EmitMany(const std::string& name, Op op, std::vector<ValueId> inputs,
                                            size_t output_count) {
  for (ValueId input : inputs) ++uses_[input];
  std::vector<ValueId> outputs;
  for (size_t i = 0; i < output_count; ++i) outputs.push_back(AddValue("", OutputType(op, inputs, i)));
  graph_.nodes.push_back({name, std::move(op), std::move(inputs), outputs});
  return outputs;
}

ValueId GraphWriter::AddValue(std::string name, DType dtype) {
  types_.push_back(dtype);
  return graph_.AddValue(std::move(name));
}

DType GraphWriter::OutputType(const Op& op, const std::vector<ValueId>& inputs, size_t output) const {
  const auto input = [&](size_t i) { return i < inputs.size() && inputs[i] != kNoValue ? TypeOf(inputs[i]) : DType{}; };
  if (const Cast* cast = std::get_if<Cast>(&op)) return cast->to;
  if (std::holds_alternative<ShapeOf>(op)) return DType::kInt64;
  if (std::holds_alternative<Where>(op) || std::holds_alternative<Fill>(op)) return input(1);
  if (std::holds_alternative<TopK>(op)) return output == 0 ? input(0) : DType::kInt64;
  if (const Unary* unary = std::get_if<Unary>(&op)) {
    return unary->kind == UnaryKind::kIsNan || unary->kind == UnaryKind::kIsInf ? DType::kBool : input(0);
  }
  if (const Binary* binary = std::get_if<Binary>(&op)) return binary->kind >= BinaryKind::kEqual ? DType::kBool : input(0);
  if (const Reduce* reduce = std::get_if<Reduce>(&op)) {
    return reduce->kind == ReduceKind::kArgMax || reduce->kind == ReduceKind::kArgMin ? DType::kInt64 : input(0);
  }
  return input(0);
}

void GraphWriter::SetName(ValueId value, const std::string& name) {
  if (graph_.value_names[value].empty()) graph_.value_names[value] = name;
}

void GraphWriter::DropIfUnused(ValueId value) {
  const auto found = constants_.find(value);
  if (found != constants_.end() && !uses_.contains(value)) graph_.initializers[found->second].data.reset();
}

Graph GraphWriter::Take() && {
  std::erase_if(graph_.initializers, [this](const Initializer& initializer) {
    return !uses_.contains(initializer.value) &&
           std::find(graph_.outputs.begin(), graph_.outputs.end(), initializer.value) == graph_.outputs.end();
  });
  return std::move(graph_);
}

}  // namespace soter
