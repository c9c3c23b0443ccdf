#pragma once

#include <optional>
#include <vector>

#include "owner/onnx/byte_source.h"
#include "owner/onnx/proto.h"

namespace soter {

// ByteRange is a place in a ByteSource.
struct ByteRange {
  uint64_t offset = 0, length = 0;
};

// ModelFile is a parsed ONNX file whose large weights are still where they were: protobuf would hold a second
// copy of every byte. raw_data has one entry per initializer of the graph, in order: where its raw_data field
// lies in the source, or nothing when the field is small and in the message.
struct ModelFile {
  onnx::ModelProto model;
  std::vector<std::optional<ByteRange>> raw_data;
};

// ReadModelFile parses `source`. Memory: a small multiple of what is not raw_data of initializers.
// Errors: kMalformed (truncated, or not ONNX); those of `source`.
Result<ModelFile> ReadModelFile(const ByteSource& source);

}  // namespace soter
