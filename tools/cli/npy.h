#pragma once

#include <filesystem>

#include "untrusted/npy/npy.h"

namespace soter {

// ReadNpyFile is DecodeNpy on a file. Errors: also kInvalidArgument (no such file, no permission, not a file).
// Every message begins with the file's name.
Result<Tensor> ReadNpyFile(const std::filesystem::path& path);

}  // namespace soter
