#pragma once

#include <string>
#include <vector>

#include "owner/onnx/import.h"
#include "owner/onnx/proto.h"

namespace soter {

// OnnxBuilder writes small ONNX models for tests, well formed or not.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(int64_t opset = 13);

  // A dim of "batch" is symbolic, one of "3" is an extent.
  OnnxBuilder& Input(const std::string& name, const std::vector<std::string>& dims,
                     int32_t type = onnx::TensorProto::FLOAT);
  OnnxBuilder& Output(const std::string& name);
  OnnxBuilder& Floats(const std::string& name, const Shape& dims, const std::vector<float>& values);
  OnnxBuilder& Int64s(const std::string& name, const Shape& dims, const std::vector<int64_t>& values);
  // Filled adds a float initializer of any size, each element `value`.
  OnnxBuilder& Filled(const std::string& name, const Shape& dims, float value);

  onnx::NodeProto& Node(const std::string& op_type, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs);
  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  std::string Bytes() const { return model_.SerializeAsString(); }
  Result<Graph> Import(ImportReport* report = nullptr) const;

 private:
  onnx::TensorProto& AddInitializer(const std::string& name, int32_t type, const Shape& dims);
  onnx::ModelProto model_;
};

void SetInt(onnx::NodeProto& node, const std::string& name, int64_t value);
void SetFloat(onnx::NodeProto& node, const std::string& name, float value);
void SetString(onnx::NodeProto& node, const std::string& name, const std::string& value);
void SetInts(onnx::NodeProto& node, const std::string& name, const std::vector<int64_t>& values);

}  // namespace soter
