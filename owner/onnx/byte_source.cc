#include "owner/onnx/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace soter {

Status ByteSource::Read(uint64_t offset, std::span<std::byte> out) const {
  if (offset > size() || out.size() > size() - offset) return Malformed("the data ends too early");
  if (out.empty()) return {};
  return ReadInRange(offset, out);
}

Status MemorySource::ReadInRange(uint64_t offset, std::span<std::byte> out) const {
  std::memcpy(out.data(), bytes_.data() + offset, out.size());
  return {};
}

Result<std::unique_ptr<FileSource>> FileSource::Open(const std::filesystem::path& path) {
  // Non-blocking, so that a FIFO in the file's place cannot hold us; it has no effect on regular files.
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return InvalidArgument(path.string() + ": cannot be opened: " + std::strerror(errno));
  struct stat info;
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return InvalidArgument(path.string() + ": is not a regular file");
  }
  return std::unique_ptr<FileSource>(
      new FileSource(std::move(fd), static_cast<uint64_t>(info.st_size), path.string()));
}

Status FileSource::ReadInRange(uint64_t offset, std::span<std::byte> out) const {
  constexpr size_t kMostAtOnce = size_t{1} << 30;
  while (!out.empty()) {
    const size_t wanted = std::min(out.size(), kMostAtOnce);
    const ssize_t count = ::pread(fd_.get(), out.data(), wanted, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Unavailable(name_ + ": cannot be read: " + std::strerror(errno));
    if (count == 0) return Unavailable(name_ + ": became shorter while it was read");
    out = out.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

}  // namespace soter
