#include "tools/audit/victim.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"
#include "tools/cli/npy.h"

namespace soter::audit {

namespace {

Result<std::string> ReadReport(const std::filesystem::path& directory) {
  std::ifstream file(directory / "victim.json");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) return Unavailable("cannot read " + (directory / "victim.json").string());
  return text;
}

}  // namespace

Result<ValidatedGraph> LoadNetwork(const std::filesystem::path& path) {
  Graph graph = TRY(ImportOnnx(path));
  return ValidatedGraph::Validate(TRY(Canonicalise(std::move(graph))));
}

Result<Victim> LoadVictim(const std::string& name, const std::filesystem::path& directory) {
  std::string report = TRY(ReadReport(directory));
  nlohmann::json json = nlohmann::json::parse(report, nullptr, false);
  if (!json.is_object() || !json["budgets"].is_array() || !json["victim_accuracy"].is_number())
    return Malformed((directory / "victim.json").string() + " is not what train.py writes");
  auto array = [&](const char* of) { return ReadNpyFile(directory / (std::string(of) + ".npy")); };
  ValidatedGraph ancestor = TRY(LoadNetwork(directory / "ancestor.onnx"));
  ValidatedGraph truth = TRY(LoadNetwork(directory / "victim.onnx"));
  Tensor test_inputs = TRY(array("test-inputs")), test_labels = TRY(array("test-labels"));
  Tensor query_inputs = TRY(array("query-inputs")), member_inputs = TRY(array("member-inputs"));
  return Victim{.name = name,
                .accuracy = json["victim_accuracy"].get<double>(),
                .budgets = json["budgets"].get<std::vector<size_t>>(),
                .report = std::move(report),
                .directory = directory,
                .ancestor = std::move(ancestor),
                .truth = std::move(truth),
                .test_inputs = std::move(test_inputs),
                .test_labels = std::move(test_labels),
                .query_inputs = std::move(query_inputs),
                .member_inputs = std::move(member_inputs)};
}

size_t RowCount(const Tensor& tensor) { return tensor.shape().empty() ? 1 : static_cast<size_t>(tensor.shape()[0]); }

Tensor RowsOf(const Tensor& tensor, size_t first, size_t count) {
  CHECK(first + count <= RowCount(tensor), "rows beyond a tensor's end");
  Shape shape = tensor.shape();
  size_t row_bytes = tensor.bytes().size() / RowCount(tensor);
  shape[0] = static_cast<int64_t>(count);
  Tensor rows = Tensor::Allocate({tensor.dtype(), shape}).value();
  std::ranges::copy(tensor.bytes().subspan(first * row_bytes, count * row_bytes), rows.mutable_bytes().begin());
  return rows;
}

}  // namespace soter::audit
