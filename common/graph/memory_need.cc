#include "common/graph/memory_need.h"

#include <unistd.h>

#include <algorithm>

namespace soter {

namespace {

// Sums stop at the largest number instead of overflowing.
uint64_t Plus(uint64_t a, uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

uint64_t BytesOf(const StaticGraph& graph, ValueId value) {
  Result<size_t> bytes = SizeBytes(graph.type(value));
  return bytes.ok() ? *bytes : UINT64_MAX;
}

uint64_t BytesOf(const StaticGraph& graph, const Node& node) {
  uint64_t sum = 0;
  for (ValueId value : node.outputs) sum = Plus(sum, BytesOf(graph, value));
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    ValueId value = node.inputs[i];
    bool again = std::find(node.inputs.begin(), node.inputs.begin() + static_cast<ptrdiff_t>(i), value) !=
                 node.inputs.begin() + static_cast<ptrdiff_t>(i);
    if (value != kNoValue && !again) sum = Plus(sum, BytesOf(graph, value));
  }
  return sum;
}

Error TooLarge(const std::string& what, uint64_t need, uint64_t memory_bytes) {
  return Exhausted(what + " at least " + std::to_string(need) + " bytes of memory, and this machine has " +
                   std::to_string(memory_bytes) + "; give smaller inputs");
}

}  // namespace

Status RequireMemory(const StaticGraph& graph, uint64_t memory_bytes) {
  const Graph& g = graph.graph();
  uint64_t whole = 0;
  for (const Initializer& initializer : g.initializers) whole = Plus(whole, BytesOf(graph, initializer.value));
  for (const GraphInput& input : g.inputs) whole = Plus(whole, BytesOf(graph, input.value));
  for (ValueId value : g.outputs) whole = Plus(whole, Plus(BytesOf(graph, value), BytesOf(graph, value)));
  if (whole > memory_bytes) return TooLarge("weights, inputs and outputs need", whole, memory_bytes);
  for (const Node& node : g.nodes) {
    uint64_t bytes = BytesOf(graph, node);
    if (bytes > memory_bytes)
      return TooLarge("node '" + node.name + "' (" + OpName(node.op) + ") needs", bytes, memory_bytes);
  }
  return {};
}

uint64_t MachineMemoryBytes() {
  long pages = ::sysconf(_SC_PHYS_PAGES), page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return UINT64_MAX;
  return static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
}

}  // namespace soter
