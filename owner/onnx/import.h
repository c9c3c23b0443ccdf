#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/graph/graph.h"

namespace soter {

// UnsupportedNode is a node that stands in the way of running a model.
struct UnsupportedNode {
  std::string node;      // "node 'conv1' (Conv)"
  std::string op_type;
  std::string domain;    // "" is ONNX's own
  std::string reason;    // what about it is not supported, and what would be
};

// ImportReport is what a person wants to know of an import beyond the graph.
struct ImportReport {
  std::vector<UnsupportedNode> unsupported;  // all of them, not only the first
  std::vector<std::string> notes;            // where the graph's arithmetic differs from the file's
};

struct ImportOptions {
  // Inputs, by name, that become constants: an operator that needs a constant weight gets it from here.
  std::map<std::string, Tensor> fixed_inputs;
};

// ImportOnnx reads an ONNX model of opset 6 to 21. The graph is as the file has it, with functions inlined,
// Identity, Dropout and quantisation steps gone and arithmetic on weights done; Canonicalise comes next.
// float16, bfloat16 and double become float32. `report` is filled whether the import succeeds or not.
// Peak memory: the weights once, plus the largest tensor that is rearranged.
// Errors: kInvalidArgument (no such file), kMalformed (not ONNX, truncated, tensors that lie about their size,
// cycles, unknown names, external data outside the model's directory), kUnsupported (all such nodes are in
// `report`), kExhausted. The message is one line and names the file and the node.
Result<Graph> ImportOnnx(const std::filesystem::path& path, const ImportOptions& options = {},
                         ImportReport* report = nullptr);

// ImportOnnxBytes does the same for a model in memory, which cannot have external data.
Result<Graph> ImportOnnxBytes(std::span<const std::byte> bytes, const ImportOptions& options = {},
                              ImportReport* report = nullptr);

}  // namespace soter
