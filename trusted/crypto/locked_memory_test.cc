#include "trusted/crypto/locked_memory.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>

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

TEST(LockedBuffer, IsZeroedLockedAndLeftOutOfDumpsAndChildren) {
  LockedBuffer buffer = LockedBuffer::Allocate(10000).value();
  ASSERT_EQ(buffer.bytes().size(), 10000u);
  EXPECT_TRUE(std::ranges::all_of(buffer.bytes(), [](std::byte byte) { return byte == std::byte{0}; }));
  std::string flags = FlagsOf(buffer.bytes().data());
  if (flags.empty()) GTEST_SKIP() << "this system shows no flags of mappings (/proc/self/smaps)";
  EXPECT_NE(flags.find(" lo"), std::string::npos) << flags;  // locked
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;  // do not dump
  EXPECT_NE(flags.find(" wf"), std::string::npos) << flags;  // wiped on fork
}

TEST(LockedBuffer, OfNothingIsEmpty) { EXPECT_TRUE(LockedBuffer::Allocate(0).value().bytes().empty()); }

TEST(LockedBuffer, MovesWithoutCopying) {
  LockedBuffer first = LockedBuffer::Allocate(64).value();
  std::byte* data = first.bytes().data();
  LockedBuffer second = std::move(first);
  EXPECT_EQ(second.bytes().data(), data);
  first = std::move(second);
  EXPECT_EQ(first.bytes().data(), data);
}

// Runs in a child that gave up what root may do, since root locks whatever the limit says.
void PrintTheErrorOfLockingBeyondTheLimit() {
  rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  bool limited = ::setrlimit(RLIMIT_MEMLOCK, &none) == 0 && (::getuid() != 0 || ::setuid(65534) == 0);
  Result<LockedBuffer> buffer = LockedBuffer::Allocate(1 << 20);
  if (!limited || buffer.ok() || buffer.error().code != ErrorCode::kExhausted) std::_Exit(1);
  std::fputs(buffer.error().message.c_str(), stderr);
  std::_Exit(0);
}

TEST(LockedBuffer, BeyondTheLimitIsExhaustedAndSaysWhatToRaise) {
  EXPECT_EXIT(PrintTheErrorOfLockingBeyondTheLimit(), testing::ExitedWithCode(0),
              "cannot lock 1024 KiB of memory \\(the limit is 0 KiB\\).*ulimit -l.*LimitMEMLOCK");
}

TEST(LockedBuffer, BeyondTheAddressSpaceIsExhausted) {
  EXPECT_EQ(LockedBuffer::Allocate(size_t{1} << 62).error().code, ErrorCode::kExhausted);
}

void ExitZeroWhenUninspectable() {
  rlimit core = {};
  bool done = ForbidInspection().ok() && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
  done = done && ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
  std::_Exit(done ? 0 : 1);
}

TEST(ForbidInspection, TurnsOffDumpsAndPtrace) {
  EXPECT_EXIT(ExitZeroWhenUninspectable(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace soter
