#include "trusted/engine/activation_layout.h"

#include <cstring>

namespace soter {

Result<Layout> ActivationLayout(int threads) {
  const Shape shape{1, 64, 56, 56};
  Graph graph;
  ValueId x = graph.AddValue("x"), weight = graph.AddValue("w"), y = graph.AddValue("y");
  Tensor zeros = TRY(Tensor::Allocate({DType::kFloat32, {64, 64, 3, 3}}));
  std::memset(zeros.mutable_bytes().data(), 0, zeros.bytes().size());
  std::vector<Dim> dims;
  for (int64_t extent : shape) dims.push_back(Dim::Constant(extent));
  graph.inputs.push_back({x, DType::kFloat32, dims});
  graph.initializers.push_back({weight, zeros.type(), std::make_shared<const Tensor>(std::move(zeros))});
  graph.nodes.push_back({"typical", Conv{.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}}, {x, weight}, {y}});
  graph.outputs.push_back(y);
  StaticGraph bound = TRY(Bind(TRY(ValidatedGraph::Validate(std::move(graph))), std::span(&shape, 1)));
  Program program = TRY(Program::Compile(
      bound, [](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> { return initializer.data; },
      {.threads = threads}));
  return program.PreferredInputLayouts().at(0);
}

}  // namespace soter
