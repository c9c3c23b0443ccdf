#include "common/base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace soter {
namespace {

Error SystemError(const std::string& path) {
  std::string message = path + ": " + std::strerror(errno);
  return errno == ENOSPC || errno == EDQUOT ? Exhausted(message) : Unavailable(message);
}

}  // namespace

// Without O_NONBLOCK, opening a named pipe waits for somebody who writes to it.
Result<InputFile> InputFile::Open(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return SystemError(path);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return SystemError(path);
  if (!S_ISREG(status.st_mode)) return Unavailable(path + ": not a regular file");
  return InputFile{std::move(fd), static_cast<uint64_t>(status.st_size)};
}

ByteSource InputFile::Source() const {
  return [raw_fd = fd.get()](std::span<std::byte> out) -> Result<size_t> {
    ssize_t taken_bytes = 0;
    do {
      taken_bytes = ::read(raw_fd, out.data(), out.size());
    } while (taken_bytes < 0 && errno == EINTR);
    if (taken_bytes < 0) return SystemError("the file cannot be read");
    return static_cast<size_t>(taken_bytes);
  };
}

Result<SecretBytes> ReadFile(const std::string& path, size_t max_bytes) {
  InputFile file = TRY(InputFile::Open(path));
  if (file.size_bytes > max_bytes) {
    return Malformed(path + ": larger than " + std::to_string(max_bytes) + " bytes");
  }
  SecretBytes content(file.size_bytes);
  size_t size_bytes = TRY(ReadFull(file.Source(), content.Expose()));
  if (size_bytes != file.size_bytes) return Unavailable(path + ": shrank while it was read");
  return content;
}

Result<OutputFile> OutputFile::Create(const std::string& path, mode_t mode) {
  std::string temporary_path = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary_path.data(), O_CLOEXEC));
  if (!fd.valid()) return SystemError(path);
  OutputFile file(path, std::move(temporary_path), std::move(fd));
  if (::fchmod(file.fd_.get(), mode) != 0) return SystemError(path);
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      fd_(std::move(other.fd_)) {}

OutputFile::~OutputFile() {
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

Status OutputFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(path_);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

Status OutputFile::Flush() {
  if (::fsync(fd_.get()) != 0) return SystemError(path_);
  return {};
}

Status OutputFile::Commit() {
  TRY(Flush());
  if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) return SystemError(path_);
  temporary_path_.clear();
  return {};
}

Status OutputFile::CommitNew() {
  TRY(Flush());
  if (::link(temporary_path_.c_str(), path_.c_str()) == 0) return {};  // the temporary name goes with this object
  if (errno == EEXIST) return InvalidArgument(path_ + ": exists already; name another file, or remove it");
  return SystemError(path_);
}

}  // namespace soter
