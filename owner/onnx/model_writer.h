#pragma once

#include <filesystem>

#include "common/base/result.h"
#include "owner/onnx/proto.h"

namespace soter {

// WriteModel writes `model` to `path`, complete or not at all. Errors: kInvalidArgument (the path), kExhausted,
// kUnsupported (more than 2 GiB, which one ONNX file cannot hold).
Status WriteModel(const onnx::ModelProto& model, const std::filesystem::path& path);

}  // namespace soter
