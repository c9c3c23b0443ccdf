#include "common/base/private_memory.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "common/base/protected_pages.h"
#include "common/base/wipe.h"

namespace soter {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMaxSmallBytes = 8192;          // larger ones have pages of their own
constexpr size_t kChunkBytes = 8 * kMaxSmallBytes;
constexpr size_t kClassCount = 8;                // 64, 128, ... 8192
static_assert(kAlignment << (kClassCount - 1) == kMaxSmallBytes);

std::atomic<MemoryProtection> current{MemoryProtection::kNone};

Locking LockingNow() { return current == MemoryProtection::kLock ? Locking::kRequired : Locking::kTried; }

// SmallBlocks cuts protected pages into blocks, one size per chunk. A free block holds the next free one and zeros.
class SmallBlocks {
 public:
  Result<std::byte*> Take(size_t size_bytes) {
    size_t index = ClassOf(size_bytes);
    std::lock_guard lock(mutex_);
    if (free_[index] == nullptr) TRY(AddChunk(index));
    std::byte* block = free_[index];
    std::memcpy(&free_[index], block, sizeof(block));
    Wipe({block, sizeof(block)});
    return block;
  }

  void Return(std::byte* block, size_t size_bytes) {
    size_t index = ClassOf(size_bytes);
    Wipe({block, kAlignment << index});
    std::lock_guard lock(mutex_);
    std::memcpy(block, &free_[index], sizeof(block));
    free_[index] = block;
  }

 private:
  static size_t ClassOf(size_t size_bytes) {
    return static_cast<size_t>(std::bit_width((std::max(size_bytes, size_t{1}) - 1) / kAlignment));
  }

  Status AddChunk(size_t index) {
    std::byte* chunk = TRY(MapProtectedPages(kChunkBytes, LockingNow()));
    size_t block_bytes = kAlignment << index;
    for (size_t offset = kChunkBytes; offset > 0; offset -= block_bytes) {
      std::byte* block = chunk + offset - block_bytes;
      std::memcpy(block, &free_[index], sizeof(block));
      free_[index] = block;
    }
    return {};
  }

  std::mutex mutex_;
  std::array<std::byte*, kClassCount> free_ = {};
};

// Never destroyed: secrets in static variables are returned after main.
SmallBlocks& Small() {
  static SmallBlocks& blocks = *new SmallBlocks;
  return blocks;
}

Result<std::byte*> AllocateOrdinary(size_t size_bytes) {
  size_t rounded = (size_bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (rounded < size_bytes) return Exhausted("a buffer of " + std::to_string(size_bytes) + " bytes cannot exist");
  void* memory = std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  if (memory == nullptr) return Exhausted("no memory for " + std::to_string(size_bytes) + " bytes");
  return static_cast<std::byte*>(memory);
}

}  // namespace

Status RaiseMemoryProtection(MemoryProtection protection) {
  if (protection <= current) return {};
  if (protection == MemoryProtection::kLock) TRY(LockProtectedPages());
  current = protection;
  return {};
}

MemoryProtection CurrentMemoryProtection() { return current; }

Result<PrivateMemory> PrivateMemory::Allocate(size_t size_bytes) {
  PrivateMemory memory;
  memory.is_protected_ = current != MemoryProtection::kNone;
  if (!memory.is_protected_) {
    memory.data_ = TRY(AllocateOrdinary(size_bytes));
  } else if (size_bytes <= kMaxSmallBytes) {
    memory.data_ = TRY(Small().Take(size_bytes));
  } else {
    memory.data_ = TRY(MapProtectedPages(size_bytes, LockingNow()));
  }
  memory.size_bytes_ = size_bytes;
  return memory;
}

void PrivateMemory::Free() {
  if (data_ == nullptr) return;
  if (!is_protected_) std::free(data_);
  else if (size_bytes_ <= kMaxSmallBytes) Small().Return(data_, size_bytes_);
  else UnmapProtectedPages(data_);
}

}  // namespace soter
