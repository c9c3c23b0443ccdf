#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/graph/ops.h"

namespace soter {

using ValueId = uint32_t;
inline constexpr ValueId kNoValue = UINT32_MAX;

// WeightId names a tensor that was uploaded to an accelerator before the graphs that refer to it.
using WeightId = uint64_t;
inline constexpr WeightId kNoWeight = 0;

// Dim is one extent of a graph input: a constant, or a symbol that Bind replaces.
class Dim {
 public:
  static Dim Constant(int64_t extent) { return Dim(extent); }
  static Dim Symbol(uint32_t index) { return Dim(-1 - static_cast<int64_t>(index)); }
  bool is_symbol() const { return value_ < 0; }
  int64_t extent() const { return value_; }                                   // of a constant
  uint32_t symbol() const { return static_cast<uint32_t>(-1 - value_); }      // of a symbol
  bool operator==(const Dim&) const = default;

 private:
  explicit Dim(int64_t value) : value_(value) {}
  int64_t value_;
};

struct GraphInput {
  ValueId value;
  DType dtype;
  std::vector<Dim> shape;
};

// Initializer is a constant. Its data is here, or (data null) on an accelerator under `weight`.
struct Initializer {
  ValueId value;
  TensorType type;
  std::shared_ptr<const Tensor> data;
  WeightId weight = kNoWeight;
};

struct Node {
  std::string name;  // of the ONNX node it came from, for messages
  Op op;
  std::vector<ValueId> inputs;   // kNoValue where an optional operand is absent
  std::vector<ValueId> outputs;
};

// Graph is a network in single-assignment form; nodes stand in an order in which they can be run.
// Value ids index value_names; they stay the same through Bind, so that decisions made for a value
// (its mask, where it lives) hold for every input shape.
struct Graph {
  std::vector<std::string> symbols;      // "batch", "sequence", ...
  std::vector<std::string> value_names;  // unique among inputs and outputs; may be empty elsewhere
  std::vector<GraphInput> inputs;
  std::vector<ValueId> outputs;
  std::vector<Initializer> initializers;
  std::vector<Node> nodes;

  ValueId AddValue(std::string name) {
    value_names.push_back(std::move(name));
    return static_cast<ValueId>(value_names.size() - 1);
  }
};

// ValidatedGraph is a Graph whose structure keeps every rule of docs/spec/graph.md section 2: ids in range,
// each value defined once and before its use, operand counts right, attributes within their ranges.
class ValidatedGraph {
 public:
  // Validate checks `graph`. Errors: kMalformed, naming the node; kUnsupported.
  static Result<ValidatedGraph> Validate(Graph graph);
  const Graph& graph() const { return graph_; }
  Graph Take() && { return std::move(graph_); }

 private:
  explicit ValidatedGraph(Graph graph) : graph_(std::move(graph)) {}
  Graph graph_;
};

// Dump prints a graph for people, one node a line.
std::string Dump(const Graph& graph);

}  // namespace soter
