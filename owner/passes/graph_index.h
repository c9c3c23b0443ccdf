#pragma once

#include <optional>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

// GraphIndex answers who makes a value and who reads it. It describes the graph at the time it was made: a pass
// that rewrites the last node of each pattern in place, and looks only at values before it, may go on using it.
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);

  // producer returns the node that makes `value`, or null for inputs, constants and kNoValue.
  const Node* producer(ValueId value) const;
  // Producer<T> returns the node when its operator is a T, else null.
  template <typename T>
  const Node* Producer(ValueId value) const {
    const Node* node = producer(value);
    return node != nullptr && std::holds_alternative<T>(node->op) ? node : nullptr;
  }
  // The node that makes `value` if it is of that kind, else null.
  const Node* Producer(ValueId value, UnaryKind kind) const;
  const Node* Producer(ValueId value, BinaryKind kind) const;

  size_t use_count(ValueId value) const { return uses_[value]; }  // being an output of the graph counts as one
  bool HasOneUse(ValueId value) const { return uses_[value] == 1; }

  // The constant behind a value, or null.
  const Tensor* constant(ValueId value) const;
  // The one element of a float constant, whatever its shape of ones.
  std::optional<float> scalar(ValueId value) const;

 private:
  const Graph& graph_;
  std::vector<uint32_t> producer_, initializer_;  // by value; UINT32_MAX for none
  std::vector<size_t> uses_;
};

// Operand returns operand i of a node, or kNoValue.
inline ValueId Operand(const Node& node, size_t i) { return i < node.inputs.size() ? node.inputs[i] : kNoValue; }

// AddConstant appends an initializer.
ValueId AddConstant(Graph& graph, Tensor tensor);

// ValueRanks infers the rank of every value, by binding the graph to some extents; nothing where that fails.
std::vector<std::optional<size_t>> ValueRanks(const Graph& graph);

}  // namespace soter
