#include "trusted/crypto/locked_memory.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "common/base/secret.h"

namespace soter {
namespace {

std::string InKibibytes(size_t size_bytes) { return std::to_string((size_bytes + 1023) / 1024) + " KiB"; }

Error CannotLock(size_t size_bytes) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  std::string current = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : InKibibytes(limit.rlim_cur);
  return Exhausted("cannot lock " + InKibibytes(size_bytes) + " of memory (the limit is " + current +
                   "): free memory, or raise the limit with `ulimit -l`, LimitMEMLOCK= (systemd) or "
                   "--ulimit memlock= (containers)");
}

// Pages are locked as they are first touched, which spares a pass over memory; the limit is checked now all the
// same. A system that does not know that (a library OS) locks at once.
bool Lock(void* data, size_t size_bytes) {
  if (::mlock2(data, size_bytes, MLOCK_ONFAULT) == 0) return true;
  return (errno == ENOSYS || errno == EINVAL) && ::mlock(data, size_bytes) == 0;
}

}  // namespace

Result<LockedBuffer> LockedBuffer::Allocate(size_t size_bytes) {
  if (size_bytes == 0) return LockedBuffer();
  void* mapped = ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return Exhausted("no " + InKibibytes(size_bytes) + " of memory left");
  LockedBuffer buffer(static_cast<std::byte*>(mapped), size_bytes);
  ::madvise(mapped, size_bytes, MADV_HUGEPAGE);  // only a matter of speed: its failure is nothing
  bool hidden = ::madvise(mapped, size_bytes, MADV_DONTDUMP) == 0 && ::madvise(mapped, size_bytes, MADV_WIPEONFORK) == 0;
  if (!hidden) return Unavailable("this system cannot keep memory out of core dumps (madvise)");
  if (!Lock(mapped, size_bytes)) return CannotLock(size_bytes);
  return buffer;
}

LockedBuffer::LockedBuffer(LockedBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}

LockedBuffer& LockedBuffer::operator=(LockedBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

void LockedBuffer::Free() {
  if (data_ == nullptr) return;
  Wipe(bytes());
  ::munmap(data_, size_bytes_);
}

Status ForbidInspection() {
  rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return Unavailable("core dumps cannot be turned off (setrlimit)");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Unavailable("ptrace cannot be forbidden (prctl)");
  return {};
}

}  // namespace soter
