#include "owner/onnx/model_writer.h"

#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "owner/onnx/atomic_file.h"

namespace soter {

Status WriteModel(const onnx::ModelProto& model, const std::filesystem::path& path) {
  if (model.ByteSizeLong() > INT_MAX) return Unsupported(path.string() + ": one ONNX file holds at most 2 GiB");
  AtomicFile file = TRY(AtomicFile::Create(path));
  google::protobuf::io::FileOutputStream stream(file.fd(), 1 << 20);
  if (!model.SerializeToZeroCopyStream(&stream) || !stream.Flush()) {
    const std::string message = path.string() + ": cannot be written: " + std::strerror(stream.GetErrno());
    return stream.GetErrno() == ENOSPC ? Exhausted(message) : Unavailable(message);
  }
  return file.Commit();
}

}  // namespace soter
