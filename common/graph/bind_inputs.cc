#include "common/graph/bind_inputs.h"

#include <optional>

#include "common/graph/bind.h"

namespace soter {
namespace {

// InputLabel tells what an input accepts: "input 'x' (float32[batch, 3, 224, 224])".
std::string InputLabel(const Graph& graph, const GraphInput& input) {
  std::string text = "input '" + graph.value_names[input.value] + "' (" + DTypeName(input.dtype) + "[";
  for (size_t i = 0; i < input.shape.size(); ++i) {
    const Dim& dim = input.shape[i];
    text += (i ? ", " : "") + (dim.is_symbol() ? graph.symbols[dim.symbol()] : std::to_string(dim.extent()));
  }
  return text + "])";
}

struct Binding {
  int64_t extent;
  const GraphInput* first_input;  // that gave the symbol its extent
};

Status BindShape(const Graph& graph, const GraphInput& input, const Shape& shape,
                 std::vector<std::optional<Binding>>& symbols) {
  std::string refusal = InputLabel(graph, input) + " does not accept the shape " + ShapeString(shape);
  if (shape.size() != input.shape.size())
    return InvalidArgument(refusal + ": its rank is " + std::to_string(input.shape.size()));
  if (!ElementCount(shape).ok()) return InvalidArgument(refusal + ": no tensor has that shape");
  for (size_t i = 0; i < shape.size(); ++i) {
    const Dim& dim = input.shape[i];
    if (!dim.is_symbol()) {
      if (dim.extent() != shape[i])
        return InvalidArgument(refusal + ": axis " + std::to_string(i) + " must be " + std::to_string(dim.extent()));
      continue;
    }
    std::optional<Binding>& binding = symbols[dim.symbol()];
    if (!binding) binding = Binding{shape[i], &input};
    if (binding->extent != shape[i])
      return InvalidArgument(refusal + ": " + graph.symbols[dim.symbol()] + " is already " +
                             std::to_string(binding->extent) + " by " + InputLabel(graph, *binding->first_input));
  }
  return {};
}

}  // namespace

Status BindInputs(const Graph& graph, std::span<const Shape> input_shapes) {
  if (input_shapes.size() != graph.inputs.size())
    return InvalidArgument("the graph has " + std::to_string(graph.inputs.size()) + " inputs, but " +
                           std::to_string(input_shapes.size()) + " shapes were given");
  std::vector<std::optional<Binding>> symbols(graph.symbols.size());
  for (size_t i = 0; i < input_shapes.size(); ++i)
    TRY(BindShape(graph, graph.inputs[i], input_shapes[i], symbols));
  return {};
}

std::vector<Shape> DefaultShapes(const Graph& graph, int64_t fallback,
                                 std::span<const std::pair<std::string, int64_t>> bindings) {
  auto extent_of = [&](const std::string& symbol) {
    for (const auto& [name, extent] : bindings)
      if (name == symbol) return extent;
    return fallback;
  };
  std::vector<Shape> shapes;
  for (const GraphInput& input : graph.inputs) {
    Shape& shape = shapes.emplace_back();
    for (const Dim& dim : input.shape)
      shape.push_back(dim.is_symbol() ? extent_of(graph.symbols[dim.symbol()]) : dim.extent());
  }
  return shapes;
}

}  // namespace soter
