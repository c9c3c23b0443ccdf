#include "trusted/crypto/process_protection.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <string>

#include "common/base/private_memory.h"
#include "common/base/protected_pages.h"
#include "common/base/secret.h"
#include "common/base/secret_bytes.h"
#include "trusted/crypto/aead.h"
#include "trusted/crypto/locked_memory.h"

// Each test runs in a child, since protection is for good, and before this process has used OpenSSL.
namespace soter {
namespace {

void ExpectInChild(bool (*body)()) { EXPECT_EXIT(std::_Exit(body() ? 0 : 1), testing::ExitedWithCode(0), ""); }

TEST(ProtectProcess, ForbidsDumpsAndPtrace) {
  ExpectInChild([] {
    rlimit core = {};
    bool done = ProtectProcess().ok() && ::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
#ifndef __SANITIZE_ADDRESS__
    done = done && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
#endif
    return done;
  });
}

TEST(ProtectProcess, MovesTensorsKeysAndOpensslIntoProtectedPages) {
  ExpectInChild([] {
    if (!ProtectProcess().ok()) return false;
    size_t before = ProtectedPageBytes();
    void* block = OPENSSL_malloc(20'000);
    std::memset(block, 1, 20'000);
    bool protects_openssl = ProtectedPageBytes() >= before + 20'000;
    block = OPENSSL_realloc(block, 30'000);
    bool keeps_contents = static_cast<char*>(block)[19'999] == 1;
    OPENSSL_free(block);
    bool frees = ProtectedPageBytes() <= before + 100;
    SecretBytes key(20'000);
    return protects_openssl && keeps_contents && frees && ProtectedPageBytes() >= before + 20'000;
  });
}

TEST(ProtectProcess, ComesTooLateAfterOpenssl) {
  ExpectInChild([] {
    OPENSSL_free(OPENSSL_malloc(1));
    Status protected_late = ProtectProcess();
    return !protected_late.ok() && protected_late.error().code == ErrorCode::kUnavailable;
  });
}

TEST(ProtectProcess, ShutsTheSocketDownBeforeItWipes) {
  std::array<int, 2> ends;
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  int held = ::dup(ends[0]);  // without it the end of the process would close the socket all the same
  pid_t child = ::fork();
  if (child == 0) {
    if (!ProtectProcess().ok()) std::_Exit(1);
    ShutDownBeforeWipe(ends[0]);
    ::raise(SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
  char byte;
  EXPECT_EQ(::recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
  ::close(held), ::close(ends[0]), ::close(ends[1]);
}

constexpr char kPattern = 0x5a;

struct Places {
  std::byte* tensor;
  std::byte* key;
  std::byte* locked;
};

// A process with secrets, which tells where they are, and stops.
[[noreturn]] void HoldSecrets(int pipe, bool protect) {
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  if (protect && !ProtectProcess().ok()) std::_Exit(1);
  rlimit no_core = {.rlim_cur = 0, .rlim_max = 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  PrivateMemory tensor = PrivateMemory::Allocate(100'000).value();
  SecretBytes key(32);
  LockedBuffer locked = LockedBuffer::Allocate(4096).value();
  std::memset(tensor.bytes().data(), kPattern, 100'000);
  std::memset(key.Expose().data(), kPattern, 32);
  std::memset(locked.bytes().data(), kPattern, 4096);
  Places places{tensor.bytes().data() + 99'992, key.Expose().data() + 24, locked.bytes().data()};
  if (::write(pipe, &places, sizeof(places)) != sizeof(places)) std::_Exit(1);
  ::raise(SIGSTOP);
  std::_Exit(0);
}

bool IsExit(int status) { return status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8); }

// Lets the child run until it is about to end, its memory still there.
bool RunUntilExit(pid_t child, int signal) {
  for (int status = 0; ::ptrace(PTRACE_CONT, child, nullptr, signal) == 0;) {
    if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
    if (IsExit(status)) return true;
    signal = WSTOPSIG(status);
  }
  return false;
}

struct Remains {
  bool tensor, key, locked;
};

// What is left of a process's secrets when `signal` has ended it.
void ReadRemains(bool protect, int signal, Remains& remains) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  pid_t child = ::fork();
  if (child == 0) HoldSecrets(pipe[1], protect);
  Places places;
  ASSERT_EQ(::read(pipe[0], &places, sizeof(places)), static_cast<ssize_t>(sizeof(places)));
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL), 0);
  ASSERT_TRUE(RunUntilExit(child, signal));
  long pattern;
  std::memset(&pattern, kPattern, sizeof(pattern));
  auto holds = [&](std::byte* place) { return ::ptrace(PTRACE_PEEKDATA, child, place, nullptr) == pattern; };
  remains = {holds(places.tensor), holds(places.key), holds(places.locked)};
  ::ptrace(PTRACE_CONT, child, nullptr, nullptr);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == signal) << status;
  ::close(pipe[0]), ::close(pipe[1]);
}

bool PtraceWorks() {
  pid_t child = ::fork();
  if (child == 0) std::_Exit(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0 ? 0 : 1);
  int status = 1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

TEST(ProtectProcess, LeavesNoSecretInTheMemoryOfAProcessThatASignalEnds) {
  if (!PtraceWorks()) GTEST_SKIP() << "no ptrace here";
  for (int signal : {SIGTERM, SIGINT, SIGABRT, SIGSEGV, SIGHUP}) {
    Remains remains = {true, true, true};
    ReadRemains(true, signal, remains);
    EXPECT_FALSE(remains.tensor || remains.key || remains.locked) << signal;
  }
}

TEST(ProtectProcess, IsWhatWipesThem) {
  if (!PtraceWorks()) GTEST_SKIP() << "no ptrace here";
  Remains remains = {};
  ReadRemains(false, SIGTERM, remains);
  EXPECT_TRUE(remains.tensor && remains.key && remains.locked);
}

}  // namespace
}  // namespace soter
