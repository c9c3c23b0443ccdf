#pragma once

#include <filesystem>
#include <span>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace soter {

// AtomicFile is a file that appears under its name only when it is complete: it is written under a temporary
// name beside it, which Commit renames and the destructor removes.
class AtomicFile {
 public:
  // Errors: kInvalidArgument (the directory does not exist or may not be written).
  static Result<AtomicFile> Create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept
      : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})), fd_(std::move(other.fd_)) {}
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  int fd() const { return fd_.get(); }
  // Errors: kExhausted (the disk is full), kUnavailable.
  Status Write(std::span<const std::byte> bytes);
  Status Commit();

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, UniqueFd fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {}
  std::filesystem::path path_, temporary_;  // temporary_ is empty once there is nothing to remove
  UniqueFd fd_;
};

}  // namespace soter
