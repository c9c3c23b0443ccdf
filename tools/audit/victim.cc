#include "tools/audit/victim.h"

#include <algorithm>

#include "owner/onnx/import.h"
#include "owner/passes/canonicalise.h"
#include "tools/cli/npy.h"

namespace soter::audit {

Result<ValidatedGraph> LoadNetwork(const std::filesystem::path& path) {
  Graph graph = TRY(ImportOnnx(path));
  return ValidatedGraph::Validate(TRY(Canonicalise(std::move(graph))));
}

Result<Victim> LoadVictim(const std::filesystem::path& directory) {
  auto array = [&](const char* name) { return ReadNpyFile(directory / (std::string(name) + ".npy")); };
  ValidatedGraph ancestor = TRY(LoadNetwork(directory / "ancestor.onnx"));
  ValidatedGraph truth = TRY(LoadNetwork(directory / "victim.onnx"));
  Tensor test_inputs = TRY(array("test-inputs")), test_labels = TRY(array("test-labels"));
  Tensor query_inputs = TRY(array("query-inputs")), member_inputs = TRY(array("member-inputs"));
  return Victim{directory.filename().string(), directory,
                std::move(ancestor),           std::move(truth),
                std::move(test_inputs),        std::move(test_labels),
                std::move(query_inputs),       std::move(member_inputs)};
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
