#include "owner/onnx/onnx_builder.h"

#include <cctype>

namespace soter {
namespace {

onnx::AttributeProto& AddAttribute(onnx::NodeProto& node, const std::string& name,
                                   onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

}  // namespace

OnnxBuilder::OnnxBuilder(int64_t opset) {
  model_.set_ir_version(8);
  model_.add_opset_import()->set_version(opset);
  graph().set_name("test");
}

OnnxBuilder& OnnxBuilder::Input(const std::string& name, const std::vector<std::string>& dims, int32_t type) {
  onnx::ValueInfoProto& input = *graph().add_input();
  input.set_name(name);
  input.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  auto* shape = input.mutable_type()->mutable_tensor_type()->mutable_shape();
  for (const std::string& dim : dims) {
    if (std::isdigit(static_cast<unsigned char>(dim[0]))) shape->add_dim()->set_dim_value(std::stoll(dim));
    else shape->add_dim()->set_dim_param(dim);
  }
  return *this;
}

OnnxBuilder& OnnxBuilder::Output(const std::string& name) {
  graph().add_output()->set_name(name);
  return *this;
}

onnx::TensorProto& OnnxBuilder::AddInitializer(const std::string& name, int32_t type, const Shape& dims) {
  onnx::TensorProto& tensor = *graph().add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

OnnxBuilder& OnnxBuilder::Floats(const std::string& name, const Shape& dims, const std::vector<float>& values) {
  onnx::TensorProto& tensor = AddInitializer(name, onnx::TensorProto::FLOAT, dims);
  for (float value : values) tensor.add_float_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::Int64s(const std::string& name, const Shape& dims, const std::vector<int64_t>& values) {
  onnx::TensorProto& tensor = AddInitializer(name, onnx::TensorProto::INT64, dims);
  for (int64_t value : values) tensor.add_int64_data(value);
  return *this;
}

OnnxBuilder& OnnxBuilder::Filled(const std::string& name, const Shape& dims, float value) {
  const std::vector<float> values(static_cast<size_t>(ElementCount(dims).value()), value);
  AddInitializer(name, onnx::TensorProto::FLOAT, dims)
      .set_raw_data(std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  return *this;
}

onnx::NodeProto& OnnxBuilder::Node(const std::string& op_type, const std::vector<std::string>& inputs,
                                   const std::vector<std::string>& outputs) {
  onnx::NodeProto& node = *graph().add_node();
  node.set_op_type(op_type);
  for (const std::string& input : inputs) node.add_input(input);
  for (const std::string& output : outputs) node.add_output(output);
  return node;
}

Result<Graph> OnnxBuilder::Import(ImportReport* report) const {
  const std::string bytes = Bytes();
  return ImportOnnxBytes(std::as_bytes(std::span(bytes)), {}, report);
}

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value) {
  AddAttribute(node, name, onnx::AttributeProto::INT).set_i(value);
}

void SetFloat(onnx::NodeProto& node, const std::string& name, float value) {
  AddAttribute(node, name, onnx::AttributeProto::FLOAT).set_f(value);
}

void SetString(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  AddAttribute(node, name, onnx::AttributeProto::STRING).set_s(value);
}

void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values) {
  onnx::AttributeProto& attribute = AddAttribute(node, name, onnx::AttributeProto::INTS);
  for (int64_t value : values) attribute.add_ints(value);
}

}  // namespace soter
