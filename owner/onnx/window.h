#pragma once

#include "common/graph/ops.h"
#include "owner/onnx/onnx_node.h"

namespace soter {

// ReadWindow reads kernel_shape, strides, dilations, pads and auto_pad. `kernel` is what the weight implies, or
// empty where only kernel_shape tells. Errors: kMalformed (missing, contradictory or of different lengths).
Result<Window> ReadWindow(const OnnxNode& node, std::vector<int64_t> kernel);

}  // namespace soter
