// The filter itself: each denied call is refused in a child that has it, and the same call works here without it, or
// the test of the enclave under it would show nothing.
#include "tests/gramine/filter.h"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <thread>

namespace soter {
namespace {

using Call = std::function<long()>;
constexpr int kNoFilter = 255;

// Errno is what `call` fails with; 0 when it works.
int Errno(const Call& call) { return call() >= 0 ? 0 : errno; }

// RestrictedErrno is the same in a child under the filter.
int RestrictedErrno(const Call& call) {
  pid_t child = ::fork();
  if (child == 0) ::_exit(RestrictToGramine().ok() ? Errno(call) : kNoFilter);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

long WakeFutex(int operation) {
  uint32_t word = 0;
  return ::syscall(SYS_futex, &word, operation, 1, nullptr, nullptr, 0);
}

// A word that is not zero ends a wait for zero at once, with EAGAIN; one that the filter denies ends with ENOSYS.
long WaitForFutex(int operation, const timespec* limit) {
  uint32_t word = 1;
  return ::syscall(SYS_futex, &word, operation, 0, limit, nullptr, FUTEX_BITSET_MATCH_ANY);
}

long JoinThread() {
  std::thread([] { ::usleep(20000); }).join();
  return 0;
}

long WakeFutexes(int operation) {
  uint32_t word = 0;
  return ::syscall(SYS_futex, &word, operation, 1, nullptr, nullptr, FUTEX_BITSET_MATCH_ANY);
}

long MakeSharedMemory() {
  int id = ::shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  return id < 0 ? id : ::shmctl(id, IPC_RMID, nullptr);
}

// Some sandboxes let no process filter its own calls.
#define SKIP_WITHOUT_FILTERS() \
  if (RestrictedErrno([] { return 0; }) == kNoFilter) GTEST_SKIP() << "no seccomp filter on this machine"

struct Denied {
  const char* name;
  Call call;
  int error;
};

const Denied kDenied[] = {
    {"UnixSocket", [] { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); }, EAFNOSUPPORT},
    {"SocketPair", [] { int fds[2]; return ::socketpair(AF_UNIX, SOCK_STREAM, 0, fds); }, ENOSYS},
    {"WakingThroughASharedFutex", [] { return WakeFutex(FUTEX_WAKE); }, ENOSYS},
    {"WakingSomeThroughASharedFutex", [] { return WakeFutexes(FUTEX_WAKE_BITSET); }, ENOSYS},
    {"Timerfd", [] { return ::timerfd_create(CLOCK_MONOTONIC, 0); }, ENOSYS},
    {"Memfd", [] { return ::memfd_create("x", 0); }, ENOSYS},
    {"SystemVSharedMemory", MakeSharedMemory, ENOSYS},
};

TEST(GramineFilter, DeniesWhatGramineLacks) {
  SKIP_WITHOUT_FILTERS();
  for (const Denied& denied : kDenied) EXPECT_EQ(RestrictedErrno(denied.call), denied.error) << denied.name;
}

TEST(GramineFilter, TheSameCallsWorkWithoutIt) {
  for (const Denied& denied : kDenied) EXPECT_EQ(Errno(denied.call), 0) << denied.name;
}

// Containers often deny io_uring on their own; under the filter its number is unknown everywhere.
TEST(GramineFilter, DeniesIoUring) {
  SKIP_WITHOUT_FILTERS();
  EXPECT_EQ(RestrictedErrno([] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }), ENOSYS);
}

// Waits that another process could end are denied, but for the one by which glibc joins a thread.
TEST(GramineFilter, DeniesWaitingThroughASharedFutex) {
  SKIP_WITHOUT_FILTERS();
  const timespec limit = {.tv_sec = 1, .tv_nsec = 0};
  EXPECT_EQ(RestrictedErrno([] { return WaitForFutex(FUTEX_WAIT, nullptr); }), ENOSYS);
  EXPECT_EQ(RestrictedErrno([] { return WaitForFutex(FUTEX_WAIT_BITSET, nullptr); }), ENOSYS);
  EXPECT_EQ(RestrictedErrno([&] { return WaitForFutex(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, &limit); }), ENOSYS);
  EXPECT_EQ(Errno([] { return WaitForFutex(FUTEX_WAIT, nullptr); }), EAGAIN);
}

TEST(GramineFilter, LeavesWhatGramineHas) {
  SKIP_WITHOUT_FILTERS();
  EXPECT_EQ(RestrictedErrno([] { return ::socket(AF_INET, SOCK_STREAM, 0); }), 0);
  EXPECT_EQ(RestrictedErrno([] { return WakeFutex(FUTEX_WAKE | FUTEX_PRIVATE_FLAG); }), 0);
  EXPECT_EQ(RestrictedErrno([] { return ::eventfd(0, 0); }), 0);  // of one process
  EXPECT_EQ(RestrictedErrno([] { return WaitForFutex(FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, nullptr); }), EAGAIN);
  EXPECT_EQ(RestrictedErrno(JoinThread), 0);
}

}  // namespace
}  // namespace soter
