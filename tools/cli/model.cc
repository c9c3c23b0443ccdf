#include "tools/cli/model.h"

#include "common/graph/bind.h"
#include "common/graph/memory_need.h"
#include "owner/passes/canonicalise.h"

namespace soter {

Result<ValidatedGraph> LoadModel(const std::string& path, ImportReport* report, Progress* progress) {
  if (progress != nullptr) progress->Show("reading " + path, 0);
  Graph graph = TRY(ImportOnnx(path, {}, report));
  return ValidatedGraph::Validate(TRY(Canonicalise(std::move(graph))));
}

Status CheckShapes(const ValidatedGraph& model, std::span<const Shape> shapes) {
  Result<StaticGraph> bound = Bind(model, shapes);
  if (!bound.ok()) return bound.error();
  return RequireMemory(*bound, MachineMemoryBytes());
}

std::vector<Shape> ShapesOf(std::span<const Tensor> tensors) {
  std::vector<Shape> shapes;
  for (const Tensor& tensor : tensors) shapes.push_back(tensor.shape());
  return shapes;
}

}  // namespace soter
