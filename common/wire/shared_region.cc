#include "common/wire/shared_region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/base/unique_fd.h"

namespace soter::wire {

namespace {

constexpr std::string_view kNamePrefix = "soter-";
constexpr uint64_t kMegabyte = 1'000'000;

std::string RandomName() {
  uint64_t random[2];
  CHECK(::getrandom(random, sizeof(random), 0) == sizeof(random), "the kernel gives no random bytes");
  char name[64];
  std::snprintf(name, sizeof(name), "soter-%d-%016llx%016llx", static_cast<int>(::getpid()),
                static_cast<unsigned long long>(random[0]), static_cast<unsigned long long>(random[1]));
  return name;
}

// Reserve gives the file its memory now. EINTR can come from a signal at any time.
int Reserve(int fd, uint64_t size_bytes) {
  int failure;
  do failure = ::posix_fallocate(fd, 0, static_cast<off_t>(size_bytes));
  while (failure == EINTR);
  return failure;
}

Error NoMemory(const std::string& directory, uint64_t size_bytes) {
  std::string megabytes = std::to_string((size_bytes + kMegabyte - 1) / kMegabyte);
  return Exhausted("free " + megabytes + " MB of " + directory +
                   ", or start the worker with --no-shared-memory: they are needed to share tensors with it");
}

}  // namespace

SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  path_ = std::exchange(other.path_, {});
  bytes_ = std::exchange(other.bytes_, {});
  return *this;
}

Status SharedRegion::Map(int fd, uint64_t size_bytes) {
  void* base = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (base == MAP_FAILED) return Unavailable(std::string("cannot map shared memory: ") + std::strerror(errno));
  bytes_ = {static_cast<std::byte*>(base), size_bytes};
  return {};
}

Result<SharedRegion> SharedRegion::Create(const std::string& directory, uint64_t size_bytes) {
  CHECK(size_bytes > 0, "a shared region holds at least its control page");
  SharedRegion region;
  std::string path = directory + "/" + RandomName();
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.valid()) {
    if (errno == ENOSPC) return NoMemory(directory, size_bytes);
    return Unavailable("cannot make shared memory in " + directory + ": " + std::strerror(errno));
  }
  region.path_ = std::move(path);
  if (int failure = Reserve(fd.get(), size_bytes); failure != 0) {
    if (failure == ENOSPC || failure == ENOMEM || failure == EFBIG) return NoMemory(directory, size_bytes);
    return Unavailable("cannot reserve shared memory in " + directory + ": " + std::strerror(failure));
  }
  TRY(region.Map(fd.get(), size_bytes));
  return region;
}

Result<SharedRegion> SharedRegion::Attach(const std::string& directory, const std::string& path,
                                          uint64_t size_bytes) {
  std::string prefix = directory + "/" + std::string(kNamePrefix);
  bool ours = !directory.empty() && path.starts_with(prefix) && path.find('/', prefix.size()) == std::string::npos &&
              path.find('\0') == std::string::npos;
  if (!ours) return Malformed("shared memory is accepted at " + prefix + "* only");
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info;
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return Unavailable("cannot open the peer's shared memory: " + std::string(std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode)) return Malformed("the peer's shared memory is not a file");
  if (size_bytes == 0 || static_cast<uint64_t>(info.st_size) < size_bytes) {
    return Unavailable("the peer's shared memory is smaller than it says");
  }
  SharedRegion region;
  TRY(region.Map(fd.get(), size_bytes));
  return region;
}

void SharedRegion::Unlink() {
  if (!path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

void SharedRegion::Reset() {
  Unlink();
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
  bytes_ = {};
}

}  // namespace soter::wire
