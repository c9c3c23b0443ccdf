#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/base/secret_bytes.h"
#include "common/base/stream.h"
#include "common/base/unique_fd.h"

namespace soter {

// InputFile is an open regular file, and its size when it was opened.
struct InputFile {
  UniqueFd fd;
  uint64_t size_bytes;

  // Open opens `path` for reading. Errors: kUnavailable (absent, not readable, not a regular file).
  static Result<InputFile> Open(const std::string& path);

  // Source reads the file from where it stands; the file must outlive it. Errors of the source: kUnavailable.
  ByteSource Source() const;
};

// ReadFile returns a whole file, which is wiped when dropped, as it may hold a key.
// Errors: kUnavailable; kMalformed (larger than `max_bytes`).
Result<SecretBytes> ReadFile(const std::string& path, size_t max_bytes);

// OutputFile becomes visible under its path at Commit, whole and on disk; without Commit nothing is left of it.
class OutputFile {
 public:
  // Create starts a file beside `path`, with mode `mode`. Errors: kUnavailable.
  static Result<OutputFile> Create(const std::string& path, mode_t mode);

  OutputFile(OutputFile&&) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // Write appends. Errors: kExhausted (disk full), kUnavailable.
  Status Write(std::span<const std::byte> bytes);

  // Commit replaces what `path` held. Errors: kExhausted, kUnavailable.
  Status Commit();

  // CommitNew does the same, and refuses to replace anything. Errors: kInvalidArgument (the path exists), as above.
  Status CommitNew();

 private:
  OutputFile(std::string path, std::string temporary_path, UniqueFd fd)
      : path_(std::move(path)), temporary_path_(std::move(temporary_path)), fd_(std::move(fd)) {}
  Status Flush();

  std::string path_;
  std::string temporary_path_;  // empty once there is nothing to remove
  UniqueFd fd_;
};

}  // namespace soter
