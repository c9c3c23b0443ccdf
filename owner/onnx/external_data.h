#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "owner/onnx/model_file.h"

namespace soter {

// ExternalData resolves the tensors that a model keeps in files beside it. A model is not trusted to name any
// file it likes: only regular files in its own directory, each byte of which belongs to one tensor at most.
class ExternalData {
 public:
  // An empty `directory` refuses external data (a model that came as bytes has no directory).
  explicit ExternalData(std::filesystem::path directory) : directory_(std::move(directory)) {}

  struct Location {
    const ByteSource* source;
    ByteRange range;
  };

  // Locate returns where the data of `tensor`, `size_bytes` long, lies. Errors: kMalformed (a path that is
  // absolute, has ".." or leaves the directory through a link; a range outside the file, of another length, or
  // overlapping another tensor's), kInvalidArgument (a file that cannot be opened).
  Result<Location> Locate(const onnx::TensorProto& tensor, uint64_t size_bytes);

 private:
  struct File {
    std::unique_ptr<FileSource> source;
    std::map<uint64_t, ByteRange> used;  // by offset
  };
  Result<File*> OpenFile(const std::string& location);
  Status Claim(File& file, ByteRange range, const std::string& location);

  std::filesystem::path directory_;
  std::map<std::string, File> files_;  // by resolved path
};

}  // namespace soter
