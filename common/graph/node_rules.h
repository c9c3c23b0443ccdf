#pragma once

#include <string>

#include "common/graph/graph.h"

// The rules that one node keeps by itself, before any type is known (docs/spec/graph.md, 2.2).
namespace soter {

// Bounds on what a graph may hold. They keep every later computation small enough to be checked.
inline constexpr size_t kMaxValues = size_t{1} << 20;
inline constexpr size_t kMaxNodes = size_t{1} << 20;
inline constexpr size_t kMaxSymbols = size_t{1} << 10;
inline constexpr size_t kMaxNameBytes = 4096;
inline constexpr size_t kMaxSpatialAxes = 3;
inline constexpr int64_t kMaxWindowExtent = INT32_MAX;

// OperandCounts is how many operands an operator takes: the first `least` are required, the rest optional.
struct OperandCounts {
  size_t least, most;
};
OperandCounts OperandCountsOf(const Op& op);

// CheckNode checks operand counts, output counts and attributes. Errors: kMalformed.
Status CheckNode(const Node& node);

// NodeLabel names a node for messages: "node 'conv1' (Conv)".
std::string NodeLabel(const Node& node);

}  // namespace soter
