#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/graph/graph.h"
#include "owner/onnx/export.h"
#include "owner/onnx/proto.h"

namespace soter {

inline constexpr int64_t kExportOpset = 17;

// ExportWriter is the ONNX model so far; export_ops.cc writes each operator through it.
class ExportWriter {
 public:
  ExportWriter(const Graph& graph, const WeightLookup& weights);

  // Write adds inputs, outputs, initializers and nodes.
  Status Write();
  const onnx::ModelProto& model() const { return model_; }

  // Name of a value; unique. "" for kNoValue.
  std::string Name(ValueId value) const { return value == kNoValue ? "" : names_[value]; }
  // Fresh returns a name that nothing has.
  std::string Fresh();
  std::string AddTensor(const Tensor& tensor);

  onnx::NodeProto& AddNode(const std::string& op_type, const std::vector<std::string>& inputs,
                           const std::string& output);
  // The constant behind a value, or null when it is none or is not here.
  const Tensor* Constant(ValueId value) const;
  std::optional<size_t> Rank(ValueId value) const { return ranks_[value]; }

 private:
  void NameValues();
  void WriteInputsAndOutputs();
  Status WriteInitializers();

  const Graph& graph_;
  const WeightLookup& weights_;
  onnx::ModelProto model_;
  std::vector<std::string> names_;
  std::vector<std::optional<size_t>> ranks_;
  std::string node_name_;
  size_t fresh_ = 0;
};

// ExportNode writes one operator. Errors: kUnsupported.
Status ExportNode(ExportWriter& writer, const Node& node);

}  // namespace soter
