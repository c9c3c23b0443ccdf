#pragma once

// The protobuf types of ONNX, and nothing else of libonnx: its checker refuses newer files and its shape
// inference trusts what it reads. Only owner/ and tests may include this.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <onnx/onnx_pb.h>
#pragma GCC diagnostic pop
