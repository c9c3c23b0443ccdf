#include "tools/cli/npy.h"

#include "tools/cli/files.h"

namespace soter {

Result<Tensor> ReadNpyFile(const std::filesystem::path& path) {
  Buffer bytes = TRY(ReadFile(path));
  Result<Tensor> tensor = DecodeNpy(bytes.bytes());
  if (!tensor.ok()) return Annotate(std::move(tensor).error(), path.string());
  return tensor;
}

}  // namespace soter
