#include "common/base/protected_pages.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

#include "common/base/private_memory.h"
#include "common/base/secret.h"
#include "common/base/secret_bytes.h"

namespace soter {
namespace {

// The flags that the kernel shows for the mapping that starts at `address`.
std::string FlagsOf(const void* address) {
  char start[32];
  std::snprintf(start, sizeof(start), "%lx-", reinterpret_cast<unsigned long>(address));
  std::ifstream maps("/proc/self/smaps");
  bool found = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with(start)) found = true;
    if (found && line.starts_with("VmFlags:")) return line;
  }
  return "";
}

TEST(ProtectedPages, AreZeroedLockedAndLeftOutOfDumpsAndChildren) {
  std::byte* pages = MapProtectedPages(10000, Locking::kRequired).value();
  EXPECT_TRUE(std::all_of(pages, pages + 10000, [](std::byte byte) { return byte == std::byte{0}; }));
  EXPECT_EQ(ProtectedPageBytes(), 12288u);
  EXPECT_EQ(LockedPageBytes(), 12288u);
  std::string flags = FlagsOf(pages);
  UnmapProtectedPages(pages);
  EXPECT_EQ(ProtectedPageBytes(), 0u);
  EXPECT_EQ(LockedPageBytes(), 0u);
  if (flags.empty()) GTEST_SKIP() << "this system shows no flags of mappings (/proc/self/smaps)";
  EXPECT_NE(flags.find(" lo"), std::string::npos) << flags;  // locked
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;  // do not dump
  EXPECT_NE(flags.find(" wf"), std::string::npos) << flags;  // wiped on fork
}

TEST(ProtectedPages, LieBetweenPagesThatNobodyMayTouch) {
  for (size_t size_bytes : {size_t{4096}, size_t{8} << 20}) {
    std::byte* pages = MapProtectedPages(size_bytes, Locking::kTried).value();
    EXPECT_DEATH(*const_cast<volatile std::byte*>(pages - 1) = std::byte{1}, "");
    EXPECT_DEATH(*const_cast<volatile std::byte*>(pages + size_bytes) = std::byte{1}, "");
    pages[0] = pages[size_bytes - 1] = std::byte{1};
    UnmapProtectedPages(pages);
  }
}

TEST(ProtectedPages, AreAllOverwrittenAtOnce) {
  std::byte* first = MapProtectedPages(100, Locking::kTried).value();
  std::byte* gone = MapProtectedPages(100, Locking::kTried).value();
  std::byte* second = MapProtectedPages(size_t{5} << 20, Locking::kTried).value();
  std::byte* last = second + (size_t{5} << 20) - 1;
  UnmapProtectedPages(gone);
  *first = *last = std::byte{7};
  WipeProtectedPages();
  EXPECT_EQ(*first, std::byte{0});
  EXPECT_EQ(*last, std::byte{0});
  UnmapProtectedPages(first);
  UnmapProtectedPages(second);
}

TEST(ProtectedPages, BeyondTheAddressSpaceAreExhausted) {
  for (size_t size_bytes : {size_t{1} << 62, SIZE_MAX, SIZE_MAX - 4096})
    EXPECT_EQ(MapProtectedPages(size_bytes, Locking::kTried).error().code, ErrorCode::kExhausted);
}

// Runs `body` in a child that may lock `limit_bytes`: without what root may do, who locks whatever the limit says.
// The child ends with 0 when `body` returns true, and prints what it leaves in `message`.
void ExpectUnderLimit(size_t limit_bytes, const std::function<bool(std::string&)>& body, const char* message_pattern) {
  auto run = [&] {
    rlimit limit = {.rlim_cur = limit_bytes, .rlim_max = limit_bytes};
    bool limited = ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && (::getuid() != 0 || ::setuid(65534) == 0);
    std::string message;
    bool good = limited && body(message);
    std::fputs(message.c_str(), stderr);
    std::_Exit(good ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), message_pattern);
}

bool IsExhausted(const Status& status, std::string& message) {
  if (status.ok()) return false;
  message = status.error().message;
  return status.error().code == ErrorCode::kExhausted;
}

TEST(Locking, BeyondTheLimitIsRefusedWithWhatToRaise) {
  auto require = [](std::string& message) {
    std::byte* first = MapProtectedPages(8192, Locking::kRequired).value();
    Result<std::byte*> second = MapProtectedPages(1 << 20, Locking::kRequired);
    UnmapProtectedPages(first);
    return !second.ok() && IsExhausted(second.error(), message);
  };
  ExpectUnderLimit(16384, require,
                   "1024 KiB of locked memory; 8 KiB are locked already.*RLIMIT_MEMLOCK\\) is 16 KiB.*"
                   "ulimit -l 1032`, LimitMEMLOCK=");
}

TEST(Locking, ThatIsOnlyTriedGoesOnWithout) {
  auto go_on = [](std::string&) {
    std::byte* pages = MapProtectedPages(1 << 20, Locking::kTried).value();
    pages[0] = std::byte{1};
    return LockedPageBytes() == 0 && ProtectedPageBytes() == 1 << 20;
  };
  ExpectUnderLimit(16384, go_on, "");
}

TEST(Locking, IsKnownBeforehand) {
  auto within = [](std::string& message) {
    return RequireLockable(16384, "x").ok() && IsExhausted(RequireLockable(20480, "this model takes"), message);
  };
  ExpectUnderLimit(16384, within, "this model takes 20 KiB of locked memory; 0 KiB");
}

TEST(Locking, CatchesUpWhenItBecomesRequired) {
  auto raise = [](std::string&) {
    if (!RaiseMemoryProtection(MemoryProtection::kLockIfAllowed).ok()) return false;
    PrivateMemory large = PrivateMemory::Allocate(100'000).value(), small = PrivateMemory::Allocate(10).value();
    bool before = LockedPageBytes() == 0;
    rlimit more = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    ::setrlimit(RLIMIT_MEMLOCK, &more);
    bool raised = RaiseMemoryProtection(MemoryProtection::kLock).ok();
    return before && raised && LockedPageBytes() == ProtectedPageBytes() && LockedPageBytes() > 100'000;
  };
  rlimit none = {.rlim_cur = 0, .rlim_max = 1 << 20};
  auto run = [&] {
    bool limited = ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (::getuid() != 0 || ::setuid(65534) == 0);
    std::string message;
    std::_Exit(limited && raise(message) ? 0 : 1);
  };
  EXPECT_EXIT(run(), testing::ExitedWithCode(0), "");
}

TEST(Locking, ThatCannotCatchUpLeavesAllAsItWas) {
  auto raise = [](std::string& message) {
    if (!RaiseMemoryProtection(MemoryProtection::kLockIfAllowed).ok()) return false;
    PrivateMemory large = PrivateMemory::Allocate(100'000).value();
    return IsExhausted(RaiseMemoryProtection(MemoryProtection::kLock), message) &&
           CurrentMemoryProtection() == MemoryProtection::kLockIfAllowed && PrivateMemory::Allocate(100'000).ok();
  };
  ExpectUnderLimit(4096, raise, "RLIMIT_MEMLOCK");
}

// What follows raises the protection of its own process.
void ExpectInChild(const std::function<bool()>& body) {
  EXPECT_EXIT(std::_Exit(body() ? 0 : 1), testing::ExitedWithCode(0), "");
}

TEST(PrivateMemory, IsOrdinaryWhereNothingIsProtected) {
  PrivateMemory memory = PrivateMemory::Allocate(100'000).value();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.bytes().data()) % 64, 0u);
  EXPECT_EQ(ProtectedPageBytes(), 0u);
}

TEST(PrivateMemory, OfEverySizeIsApartAndAligned) {
  ExpectInChild([] {
    RaiseMemoryProtection(MemoryProtection::kLockIfAllowed).value();
    std::vector<PrivateMemory> held;
    for (size_t size_bytes : {0, 1, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097, 8191, 8192, 8193, 70000})
      for (int i = 0; i < 20; ++i) {
        held.push_back(PrivateMemory::Allocate(size_bytes).value());
        std::memset(held.back().bytes().data(), static_cast<int>(held.size() % 251), size_bytes);
      }
    for (size_t i = 0; i < held.size(); ++i) {
      std::span<const std::byte> bytes = std::as_const(held[i]).bytes();
      auto mine = static_cast<std::byte>((i + 1) % 251);
      if (reinterpret_cast<uintptr_t>(bytes.data()) % 64 != 0) return false;
      if (!std::ranges::all_of(bytes, [mine](std::byte byte) { return byte == mine; })) return false;
    }
    return true;
  });
}

TEST(PrivateMemory, IsWipedWhenItGoes) {
  ExpectInChild([] {
    RaiseMemoryProtection(MemoryProtection::kLockIfAllowed).value();
    PrivateMemory kept = PrivateMemory::Allocate(64).value(), freed = PrivateMemory::Allocate(64).value();
    std::byte* data = freed.bytes().data();
    std::memset(data, 0x5a, 64);
    { PrivateMemory goes = std::move(freed); }
    // The first bytes of a free block point to the next one.
    return std::all_of(data + sizeof(void*), data + 64, [](std::byte byte) { return byte == std::byte{0}; });
  });
}

TEST(PrivateMemory, AllocatedBeforeTheProtectionIsFreedAsWhatItWas) {
  ExpectInChild([] {
    SecretBytes early(10'000);
    Secret<int> also_early(5);
    RaiseMemoryProtection(MemoryProtection::kLockIfAllowed).value();
    SecretBytes late(10'000);
    early = std::move(late);
    Secret<int> moved = std::move(also_early);
    return moved.Expose() == 5 && ProtectedPageBytes() >= 10'000;
  });
}

}  // namespace
}  // namespace soter
