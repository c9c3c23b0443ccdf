#pragma once

#include <filesystem>
#include <functional>

#include "common/graph/graph.h"

namespace soter {

// WeightLookup finds the tensor that was uploaded under an id, or null.
using WeightLookup = std::function<std::shared_ptr<const Tensor>(WeightId)>;

// ExportOnnx writes `graph` to `path` as ONNX of opset 17, in standard operators that any viewer knows: a Linear is
// a MatMul and an Add, a fused activation a node of its own. Weights that only an accelerator holds come from
// `weights`. Importing the file gives a graph that computes the same.
// Errors: kInvalidArgument (the path), kUnsupported (over 2 GiB; a padding that opset 17 cannot say),
// kUnavailable (a weight that `weights` does not have), kExhausted.
Status ExportOnnx(const Graph& graph, const WeightLookup& weights, const std::filesystem::path& path);

}  // namespace soter
