#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace soter {

// ByteSource is a sequence of bytes that can be read at any place: a file, or memory.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual uint64_t size() const = 0;

  // Read fills `out` from `offset` on. Errors: kMalformed (past the end), kUnavailable (the file cannot be read).
  Status Read(uint64_t offset, std::span<std::byte> out) const;

 private:
  virtual Status ReadInRange(uint64_t offset, std::span<std::byte> out) const = 0;
};

// MemorySource reads bytes that somebody else owns.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }

 private:
  Status ReadInRange(uint64_t offset, std::span<std::byte> out) const override;
  std::span<const std::byte> bytes_;
};

// FileSource reads a regular file by position, so nothing is mapped that could shrink under us.
class FileSource final : public ByteSource {
 public:
  // Open opens `path`. Errors: kInvalidArgument (missing, not a regular file, no permission).
  static Result<std::unique_ptr<FileSource>> Open(const std::filesystem::path& path);
  uint64_t size() const override { return size_; }

 private:
  FileSource(UniqueFd fd, uint64_t size, std::string name)
      : fd_(std::move(fd)), size_(size), name_(std::move(name)) {}
  Status ReadInRange(uint64_t offset, std::span<std::byte> out) const override;
  UniqueFd fd_;
  uint64_t size_;
  std::string name_;
};

}  // namespace soter
