#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace soter {

// ZooNames lists the networks that WriteZooModel knows, smallest first.
std::span<const std::string_view> ZooNames();

// WriteZooModel writes the network `name` to `path` as ONNX: the published architecture with weights drawn from
// `seed`, the same on every machine (zoo/model_builder.h), scaled so that activations keep their size through
// the layers. The file appears complete or not at all; a network of more than 2 GiB gets its weights in a second
// file, `path`.data. Errors: kInvalidArgument (no such network, a path that cannot be written), kExhausted.
Result<void> WriteZooModel(std::string_view name, const std::filesystem::path& path, uint64_t seed);

}  // namespace soter
