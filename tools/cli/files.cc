#include "tools/cli/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>

#include "common/base/unique_fd.h"
#include "tools/cli/npy.h"

namespace soter {

namespace {

Error FileError(const std::filesystem::path& path, int error_number) {
  std::string message = path.string() + ": " + std::strerror(error_number);
  return error_number == ENOSPC || error_number == EDQUOT ? Exhausted(message) : InvalidArgument(message);
}

Status WriteAll(int fd, std::span<const std::byte> bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError(path, errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

}  // namespace

Result<Buffer> ReadFile(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return FileError(path, errno);
  struct stat info;
  if (::fstat(fd.get(), &info) != 0) return FileError(path, errno);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path.string() + ": not a regular file");
  Buffer contents = TRY(TryBuffer(static_cast<size_t>(info.st_size)));
  for (size_t done = 0; done < contents.size();) {
    ssize_t got = ::read(fd.get(), contents.bytes().data() + done, contents.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return InvalidArgument(path.string() + ": cannot be read to its end");
    done += static_cast<size_t>(got);
  }
  return contents;
}

OutputFiles::OutputFiles()
    : state_(std::make_shared<State>()), cleanup_([state = state_] {
        std::lock_guard lock(state->mutex);
        for (const Staged& file : state->files) ::unlink(file.temporary.c_str());
      }) {}

Status OutputFiles::Write(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces) {
  std::filesystem::path temporary = path;
  temporary.replace_filename("." + path.filename().string() + "." + std::to_string(::getpid()) + ".tmp");
  if (path.has_parent_path()) ::mkdir(path.parent_path().c_str(), 0777);  // where it fails, open says so
  {
    std::lock_guard lock(state_->mutex);
    state_->files.push_back({temporary, path});
  }
  UniqueFd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!fd.valid()) return FileError(path, errno);
  for (std::span<const std::byte> piece : pieces) TRY(WriteAll(fd.get(), piece, path));
  if (::close(fd.Release()) != 0) return FileError(path, errno);
  return {};
}

Status OutputFiles::WriteText(const std::filesystem::path& path, const std::string& text) {
  std::span<const std::byte> piece = std::as_bytes(std::span(text));
  return Write(path, std::span(&piece, 1));
}

Status OutputFiles::WriteNpy(const std::filesystem::path& path, TensorView tensor) {
  std::string header = NpyHeader(tensor.type);
  std::span<const std::byte> pieces[] = {std::as_bytes(std::span(header)), tensor.bytes};
  return Write(path, pieces);
}

Status OutputFiles::Commit() {
  std::lock_guard lock(state_->mutex);
  for (const Staged& file : state_->files) {
    if (::rename(file.temporary.c_str(), file.final.c_str()) != 0) {
      return InvalidArgument(file.final.string() + ": " + std::strerror(errno));
    }
  }
  state_->files.clear();
  return {};
}

Status CheckOutputDirectory(const std::filesystem::path& directory) {
  std::filesystem::path existing = directory;
  struct stat info;
  if (::stat(directory.c_str(), &info) != 0) {
    if (errno != ENOENT) return FileError(directory, errno);
    existing = directory.has_parent_path() ? directory.parent_path() : ".";
    if (::stat(existing.c_str(), &info) != 0) return FileError(existing, errno);
  }
  if (!S_ISDIR(info.st_mode)) return InvalidArgument(existing.string() + ": not a directory");
  if (::access(existing.c_str(), W_OK | X_OK) != 0) return FileError(existing, errno);
  return {};
}

std::string FileNameFor(const std::string& tensor_name) {
  std::string name;
  for (char c : tensor_name.substr(0, 200)) {
    bool safe = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
    name.push_back(safe ? c : '_');
  }
  if (name.empty() || name.front() == '.') name.insert(0, "_");
  return name;
}

}  // namespace soter
