#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

// StaticGraph is a graph for one set of input shapes: every value's type is known, shape arithmetic is
// evaluated, and Flatten, Squeeze, Unsqueeze are Reshapes with a constant shape. Built by Bind only.
class StaticGraph {
 public:
  const Graph& graph() const { return graph_; }
  // type of a value; must be one that the graph defines.
  const TensorType& type(ValueId value) const {
    CHECK(value < types_.size() && types_[value].has_value(), "value has no type");
    return *types_[value];
  }
  // The initializer that defines `value`, or null.
  const Initializer* initializer(ValueId value) const;
  // constant_data of a small int64/float operand (axes, shape, ...), or null when it is not a constant held here.
  const Tensor* constant(ValueId value) const;

 private:
  friend Result<StaticGraph> Bind(const ValidatedGraph&, std::span<const Shape>);
  StaticGraph() = default;
  Graph graph_;
  std::vector<std::optional<TensorType>> types_;
  std::vector<uint32_t> initializer_of_;  // index into graph_.initializers, or UINT32_MAX
};

// Bind fixes the graph's symbols by the shapes of its inputs (in graph order), infers every type, evaluates
// what depends on shapes alone and drops nodes that nothing needs. Value ids do not change.
// Initializers of the graph are shared, not copied.
// Errors: kInvalidArgument (shapes that the inputs do not accept: names the input and what it accepts),
// kMalformed (types that do not fit together, naming the node), kUnsupported, kExhausted.
Result<StaticGraph> Bind(const ValidatedGraph& graph, std::span<const Shape> input_shapes);

// DefaultShapes gives every symbol the extent in `bindings` ("name" -> extent) or else `fallback`.
std::vector<Shape> DefaultShapes(const Graph& graph, int64_t fallback,
                                 std::span<const std::pair<std::string, int64_t>> bindings = {});

// InferTypes returns the output types of one node. `input_types` has nullptr for an absent operand;
// `constants` gives the value of an operand where it is known (else nullptr).
// Errors: kMalformed (operands that do not fit the operator), kUnsupported.
Result<std::vector<TensorType>> InferTypes(const Node& node, std::span<const TensorType* const> input_types,
                                           std::span<const Tensor* const> constants);

}  // namespace soter
