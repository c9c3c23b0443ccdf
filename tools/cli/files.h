#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "common/tensor/tensor.h"
#include "tools/cli/cleanup.h"

namespace soter {

// ReadFile returns the contents of a regular file. Errors: kInvalidArgument (none, no permission, not a regular
// file, it cannot be read), kExhausted. Every message names the file.
Result<Buffer> ReadFile(const std::filesystem::path& path);

// OutputFiles writes files that appear all at once or not at all: each is written beside its place under a temporary
// name, and Commit renames them. What was not committed is removed, also when a signal ends the program.
class OutputFiles {
 public:
  OutputFiles();
  OutputFiles(const OutputFiles&) = delete;

  // Write stages `path` with the contents `pieces`; its directory is made where only that is missing.
  // Errors: kInvalidArgument (no such directory, no permission), kExhausted (no space).
  Status Write(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces);
  Status WriteText(const std::filesystem::path& path, const std::string& text);
  Status WriteNpy(const std::filesystem::path& path, TensorView tensor);

  // Commit gives all files their names. Errors: kInvalidArgument (a name is taken by a directory).
  Status Commit();

 private:
  struct Staged {
    std::filesystem::path temporary, final;
  };
  struct State {
    std::mutex mutex;  // the cleanup may run on the signal thread
    std::vector<Staged> files;
  };
  std::shared_ptr<State> state_;
  Cleanup cleanup_;
};

// CheckOutputDirectory tells early whether files can be written to `directory`, which need not exist if its parent
// does. Errors: kInvalidArgument.
Status CheckOutputDirectory(const std::filesystem::path& directory);

// FileNameFor turns a tensor's name into one that is safe as a file name.
std::string FileNameFor(const std::string& tensor_name);

}  // namespace soter
