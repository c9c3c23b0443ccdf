#include "owner/onnx/export.h"

#include <unordered_set>

#include "owner/onnx/export_writer.h"
#include "owner/onnx/model_writer.h"
#include "owner/passes/graph_index.h"

namespace soter {
namespace {

int32_t DataTypeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return onnx::TensorProto::FLOAT;
    case DType::kFloat64: return onnx::TensorProto::DOUBLE;
    case DType::kFloat16: return onnx::TensorProto::FLOAT16;
    case DType::kInt8: return onnx::TensorProto::INT8;
    case DType::kUint8: return onnx::TensorProto::UINT8;
    case DType::kInt32: return onnx::TensorProto::INT32;
    case DType::kInt64: return onnx::TensorProto::INT64;
    case DType::kBool: return onnx::TensorProto::BOOL;
  }
  CHECK(false, "not an element type");
}

void FillTensor(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto) {
  proto->set_name(name);
  proto->set_data_type(DataTypeOf(tensor.dtype()));
  for (int64_t extent : tensor.shape()) proto->add_dims(extent);
  proto->set_raw_data(tensor.bytes().data(), tensor.bytes().size());
}

}  // namespace

ExportWriter::ExportWriter(const Graph& graph, const WeightLookup& weights)
    : graph_(graph), weights_(weights), ranks_(ValueRanks(graph)) {
  model_.set_ir_version(8);
  model_.set_producer_name("soter");
  model_.add_opset_import()->set_version(kExportOpset);
  model_.mutable_graph()->set_name("soter");
  NameValues();
}

void ExportWriter::NameValues() {
  names_.resize(graph_.value_names.size());
  std::unordered_set<std::string> taken;
  // Inputs and outputs are known by their names to others; the rest gets whatever is free.
  const auto keep = [&](ValueId value) {
    const std::string& name = graph_.value_names[value];
    if (names_[value].empty() && taken.insert(name).second) names_[value] = name;
  };
  for (const GraphInput& input : graph_.inputs) keep(input.value);
  for (ValueId output : graph_.outputs) keep(output);
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!names_[i].empty()) continue;
    std::string name = graph_.value_names[i];
    if (name.empty() || taken.contains(name)) name.append("%").append(std::to_string(i));
    while (!taken.insert(name).second) name.append("'");
    names_[i] = name;
  }
}

std::string ExportWriter::Fresh() {
  // A slash and a percent sign in this order end no name that NameValues makes up; input names do not hold both.
  return std::string("%/").append(std::to_string(fresh_++));
}

std::string ExportWriter::AddTensor(const Tensor& tensor) {
  const std::string name = Fresh();
  FillTensor(tensor, name, model_.mutable_graph()->add_initializer());
  return name;
}

onnx::NodeProto& ExportWriter::AddNode(const std::string& op_type, const std::vector<std::string>& inputs,
                                       const std::string& output) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op_type);
  node.set_name(node_name_);
  for (const std::string& input : inputs) node.add_input(input);
  while (node.input_size() > 0 && node.input(node.input_size() - 1).empty()) node.mutable_input()->RemoveLast();
  if (!output.empty()) node.add_output(output);
  return node;
}

const Tensor* ExportWriter::Constant(ValueId value) const {
  for (const Initializer& initializer : graph_.initializers) {
    if (initializer.value == value) return initializer.data.get();
  }
  return nullptr;
}

void ExportWriter::WriteInputsAndOutputs() {
  for (const GraphInput& input : graph_.inputs) {
    onnx::ValueInfoProto& proto = *model_.mutable_graph()->add_input();
    proto.set_name(Name(input.value));
    auto* type = proto.mutable_type()->mutable_tensor_type();
    type->set_elem_type(DataTypeOf(input.dtype));
    type->mutable_shape();
    for (const Dim& dim : input.shape) {
      auto* extent = type->mutable_shape()->add_dim();
      if (dim.is_symbol()) extent->set_dim_param(graph_.symbols[dim.symbol()]);
      else extent->set_dim_value(dim.extent());
    }
  }
  for (ValueId output : graph_.outputs) model_.mutable_graph()->add_output()->set_name(Name(output));
}

Status ExportWriter::WriteInitializers() {
  for (const Initializer& initializer : graph_.initializers) {
    std::shared_ptr<const Tensor> data = initializer.data;
    if (!data && weights_) data = weights_(initializer.weight);
    if (!data) return Unavailable("the weight '" + Name(initializer.value) + "' is not known");
    FillTensor(*data, Name(initializer.value), model_.mutable_graph()->add_initializer());
  }
  return {};
}

Status ExportWriter::Write() {
  WriteInputsAndOutputs();
  TRY(WriteInitializers());
  for (const Node& node : graph_.nodes) {
    node_name_ = node.name;
    Status status = ExportNode(*this, node);
    if (!status.ok()) return Annotate(std::move(status).error(), "node '" + node.name + "'");
  }
  return {};
}

Status ExportOnnx(const Graph& graph, const WeightLookup& weights, const std::filesystem::path& path) {
  ExportWriter writer(graph, weights);
  TRY(writer.Write());
  return WriteModel(writer.model(), path);
}

}  // namespace soter
