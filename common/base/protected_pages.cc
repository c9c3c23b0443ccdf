#include "common/base/protected_pages.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <string>

#include "common/base/wipe.h"

namespace soter {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;
constexpr size_t kMaxRegions = size_t{1} << 15;  // with their guards half of what Linux lets a process map

// Region is one mapping. `data` is set last and cleared first, so that a signal handler sees whole regions only.
struct Region {
  std::atomic<std::byte*> data{nullptr};
  size_t size_bytes = 0;
  std::byte* mapping = nullptr;
  size_t mapping_bytes = 0;
  bool locked = false;
};

// A table that never moves, since a signal handler reads it.
Region regions[kMaxRegions];
std::atomic<size_t> region_count{0};  // none at or after this index is in use
std::atomic_flag table_lock = ATOMIC_FLAG_INIT;
std::atomic<size_t> mapped_bytes{0}, locked_bytes{0};

// TableLock is a spin lock, held for a few instructions or one munmap. A signal handler cannot wait for a thread that
// it interrupted, and so gives up waiting after a while: that thread no longer moves either.
class TableLock {
 public:
  enum class Patience : uint8_t { kEndless, kSignalHandler };
  explicit TableLock(Patience patience = Patience::kEndless) {
    for (int spins = 0; table_lock.test_and_set(std::memory_order_acquire); ++spins) {
      if (patience == Patience::kSignalHandler && spins >= 500) return;
      timespec pause = {.tv_sec = 0, .tv_nsec = 50'000};
      if (spins > 100) ::nanosleep(&pause, nullptr);
    }
    held_ = true;
  }
  ~TableLock() {
    if (held_) table_lock.clear(std::memory_order_release);
  }
  TableLock(const TableLock&) = delete;
  TableLock& operator=(const TableLock&) = delete;

 private:
  bool held_ = false;
};

size_t PageBytes() {
  static const size_t page_bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return page_bytes;
}

size_t RoundUp(size_t size_bytes, size_t unit) { return (size_bytes + unit - 1) / unit * unit; }

std::string Kibibytes(size_t size_bytes) { return std::to_string((size_bytes + 1023) / 1024) + " KiB"; }

Error CannotLock(size_t size_bytes, const std::string& what) {
  rlimit limit = {};
  ::getrlimit(RLIMIT_MEMLOCK, &limit);
  std::string present = limit.rlim_cur == RLIM_INFINITY ? "unlimited" : Kibibytes(limit.rlim_cur);
  size_t needed_kib = (locked_bytes + size_bytes + 1023) / 1024;
  return Exhausted(what + " " + Kibibytes(size_bytes) + " of locked memory; " + Kibibytes(locked_bytes) +
                   " are locked already, and the limit (RLIMIT_MEMLOCK) is " + present + ": raise it to at least " +
                   std::to_string(needed_kib) + " KiB with `ulimit -l " + std::to_string(needed_kib) +
                   "`, LimitMEMLOCK= (systemd) or --ulimit memlock= (containers), or free memory");
}

// Pages are locked as they are first touched, which spares a pass over memory; the limit is checked at once all the
// same. A system that does not know that (a library OS) locks at once.
bool Lock(std::byte* data, size_t size_bytes) {
  if (::mlock2(data, size_bytes, MLOCK_ONFAULT) == 0) return true;
  return (errno == ENOSYS || errno == EINVAL) && ::mlock(data, size_bytes) == 0;
}

// A library OS in a TEE knows neither dumps nor forks of an enclave's memory, and refuses the words.
bool Hide(std::byte* data, size_t size_bytes) {
  for (int advice : {MADV_DONTDUMP, MADV_WIPEONFORK})
    if (::madvise(data, size_bytes, advice) != 0 && errno != EINVAL && errno != ENOSYS) return false;
  return true;
}

struct Mapping {
  std::byte* start;
  size_t size_bytes;
  std::byte* data;
};

// Reserves room for the pages, a guard before and after them, and where huge pages fit, what it takes to align them.
Result<Mapping> Map(size_t size_bytes) {
  size_t page = PageBytes(), alignment = size_bytes >= 2 * kHugePageBytes ? kHugePageBytes : page;
  size_t room = size_bytes + alignment + 2 * page;
  if (room < size_bytes) return Exhausted("no " + Kibibytes(size_bytes) + " of memory left");
  void* reserved = ::mmap(nullptr, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return Exhausted("no " + Kibibytes(size_bytes) + " of memory left");
  auto* start = static_cast<std::byte*>(reserved);
  size_t first = RoundUp(reinterpret_cast<uintptr_t>(start) + page, alignment) - reinterpret_cast<uintptr_t>(start);
  Mapping mapping{start, room, start + first};
  if (::mprotect(mapping.data, size_bytes, PROT_READ | PROT_WRITE) == 0 && Hide(mapping.data, size_bytes)) {
    ::madvise(mapping.data, size_bytes, MADV_HUGEPAGE);  // only a matter of speed: its failure is nothing
    return mapping;
  }
  ::munmap(start, room);
  return Exhausted("no " + Kibibytes(size_bytes) + " of memory left");
}

bool Enter(const Mapping& mapping, size_t size_bytes, bool locked) {
  TableLock lock;
  size_t count = region_count, index = 0;
  while (index < count && regions[index].data.load(std::memory_order_relaxed) != nullptr) ++index;
  if (index == kMaxRegions) return false;
  Region& region = regions[index];
  region.size_bytes = size_bytes, region.locked = locked;
  region.mapping = mapping.start, region.mapping_bytes = mapping.size_bytes;
  region.data.store(mapping.data, std::memory_order_release);
  region_count = std::max(count, index + 1);
  mapped_bytes += size_bytes;
  if (locked) locked_bytes += size_bytes;
  return true;
}

Region* Find(const std::byte* data) {
  for (size_t i = region_count; i-- > 0;)
    if (regions[i].data.load(std::memory_order_relaxed) == data) return &regions[i];
  return nullptr;
}

}  // namespace

Result<std::byte*> MapProtectedPages(size_t size_bytes, Locking locking) {
  if (size_bytes > SIZE_MAX - PageBytes()) return Exhausted("no " + Kibibytes(size_bytes) + " of memory left");
  size_bytes = RoundUp(size_bytes, PageBytes());
  Mapping mapping = TRY(Map(size_bytes));
  bool locked = Lock(mapping.data, size_bytes);
  if (!locked && locking == Locking::kRequired) {
    ::munmap(mapping.start, mapping.size_bytes);
    return CannotLock(size_bytes, "there must be");
  }
  if (Enter(mapping, size_bytes, locked)) return mapping.data;
  ::munmap(mapping.start, mapping.size_bytes);
  return Exhausted("more than " + std::to_string(kMaxRegions) + " tensors and keys at a time");
}

void UnmapProtectedPages(std::byte* data) {
  Region* region = Find(data);
  CHECK(region != nullptr, "these are no protected pages");
  Wipe({data, region->size_bytes});
  TableLock lock;
  region->data.store(nullptr, std::memory_order_release);
  mapped_bytes -= region->size_bytes;
  if (region->locked) locked_bytes -= region->size_bytes;
  ::munmap(region->mapping, region->mapping_bytes);
  size_t count = region_count;
  while (count > 0 && regions[count - 1].data.load(std::memory_order_relaxed) == nullptr) --count;
  region_count = count;
}

Status LockProtectedPages() {
  TableLock lock;
  for (size_t i = 0; i < region_count; ++i) {
    Region& region = regions[i];
    std::byte* data = region.data;
    if (data == nullptr || region.locked) continue;
    if (!Lock(data, region.size_bytes)) return CannotLock(region.size_bytes, "there must be");
    region.locked = true;
    locked_bytes += region.size_bytes;
  }
  return {};
}

Status RequireLockable(size_t size_bytes, const std::string& what) {
  size_bytes = RoundUp(std::max<size_t>(size_bytes, 1), PageBytes());
  void* probe = ::mmap(nullptr, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (probe == MAP_FAILED) return Exhausted(what + " " + Kibibytes(size_bytes) + " of memory, which is not there");
  bool locked = ::mlock2(probe, size_bytes, MLOCK_ONFAULT) == 0 || errno == ENOSYS || errno == EINVAL;
  ::munmap(probe, size_bytes);
  if (!locked) return CannotLock(size_bytes, what);
  return {};
}

void WipeProtectedPages() {
  TableLock lock(TableLock::Patience::kSignalHandler);
  for (size_t i = 0; i < region_count; ++i)
    if (std::byte* data = regions[i].data.load(std::memory_order_acquire)) Wipe({data, regions[i].size_bytes});
}

size_t ProtectedPageBytes() { return mapped_bytes; }
size_t LockedPageBytes() { return locked_bytes; }

}  // namespace soter
