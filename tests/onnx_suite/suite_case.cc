#include "tests/onnx_suite/suite_case.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "owner/onnx/byte_source.h"
#include "owner/onnx/external_data.h"
#include "owner/onnx/proto.h"
#include "owner/onnx/tensor_data.h"

namespace soter::onnx_suite {
namespace {

namespace fs = std::filesystem;

template <typename Message>
Result<Message> ReadMessage(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Message message;
  if (!file.good() && !file.eof()) return Malformed(path.string() + " cannot be read");
  if (!message.ParseFromString(bytes)) return Malformed(path.string() + " is damaged");
  return message;
}

// The files hold bare tensors; a file that holds a sequence does not parse as a tensor with a type.
Result<Tensor> ReadTensor(const fs::path& path) {
  Result<onnx::TensorProto> proto = ReadMessage<onnx::TensorProto>(path);
  if (!proto.ok() || proto->data_type() == onnx::TensorProto::UNDEFINED)
    return Unsupported("sequences and optionals are not supported; only tensors are");
  ExternalData external({});
  const MemorySource nothing({});
  TensorReader reader(nothing, &external);
  return reader.Read(&*proto);
}

// PREFIX_0.pb, PREFIX_1.pb, ... up to the first that is absent.
Result<std::vector<Tensor>> ReadTensors(const fs::path& directory, const std::string& prefix) {
  std::vector<Tensor> tensors;
  for (size_t i = 0;; ++i) {
    const fs::path path = directory / (prefix + std::to_string(i) + ".pb");
    if (!fs::exists(path)) return tensors;
    tensors.push_back(TRY(ReadTensor(path)));
  }
}

}  // namespace

std::vector<SuiteCase> ListCases(const fs::path& root) {
  std::vector<SuiteCase> cases;
  for (const auto& group : fs::directory_iterator(root)) {
    if (!group.is_directory()) continue;
    for (const auto& entry : fs::directory_iterator(group.path())) {
      SuiteCase found{group.path().filename(), entry.path().filename(), entry.path()};
      if (fs::exists(found.model())) cases.push_back(std::move(found));
    }
  }
  std::ranges::sort(cases, {}, [](const SuiteCase& c) { return std::pair(c.group, c.name); });
  return cases;
}

Result<std::vector<DataSet>> ReadDataSets(const SuiteCase& suite_case) {
  std::vector<DataSet> sets;
  for (size_t i = 0;; ++i) {
    const fs::path directory = suite_case.directory / ("test_data_set_" + std::to_string(i));
    if (!fs::exists(directory)) return sets;
    auto inputs = TRY(ReadTensors(directory, "input_"));
    auto outputs = TRY(ReadTensors(directory, "output_"));
    sets.push_back({std::move(inputs), std::move(outputs)});
  }
}

Result<ModelSummary> Summarise(const SuiteCase& suite_case) {
  const auto model = TRY(ReadMessage<onnx::ModelProto>(suite_case.model()));
  std::set<std::string> initializers, seen = {"Constant", "Identity"};
  for (const auto& initializer : model.graph().initializer()) initializers.insert(initializer.name());
  ModelSummary summary;
  for (const auto& input : model.graph().input())
    if (!initializers.contains(input.name())) summary.input_names.push_back(input.name());
  for (const auto& node : model.graph().node())
    if (seen.insert(node.op_type()).second) summary.op_types.push_back(node.op_type());
  if (summary.op_types.empty() && model.graph().node_size() > 0)
    summary.op_types.push_back(model.graph().node(0).op_type());
  return summary;
}

}  // namespace soter::onnx_suite
