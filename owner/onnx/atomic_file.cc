#include "owner/onnx/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace soter {
namespace {

Error SystemError(const std::filesystem::path& path, const std::string& what) {
  const std::string message = path.string() + ": cannot be " + what + ": " + std::strerror(errno);
  return errno == ENOSPC || errno == EDQUOT ? Exhausted(message) : Unavailable(message);
}

}  // namespace

Result<AtomicFile> AtomicFile::Create(const std::filesystem::path& path) {
  std::string temporary = path.string() + ".XXXXXX";
  UniqueFd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return InvalidArgument(path.string() + ": cannot be created: " + std::strerror(errno));
  ::fchmod(fd.get(), 0644);  // mkostemp gives 0600, which suits no model that others are to read
  return AtomicFile(path, temporary, std::move(fd));
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status AtomicFile::Write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd_.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path_, "written");
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return {};
}

Status AtomicFile::Commit() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return SystemError(path_, "renamed");
  temporary_.clear();
  return {};
}

}  // namespace soter
