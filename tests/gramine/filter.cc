#include "tests/gramine/filter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

namespace soter {
namespace {

constexpr uint32_t kX32Bit = 0x40000000;

// Calls that Gramine has in no form. sendmsg stays: TCP uses it, and without AF_UNIX no descriptor can travel in it.
constexpr uint32_t kMissing[] = {
    SYS_timerfd_create, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_memfd_create, SYS_memfd_secret,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_shmdt,
    SYS_semget, SYS_semop, SYS_msgget, SYS_seccomp, SYS_landlock_create_ruleset, SYS_epoll_pwait2, SYS_pidfd_open,
    SYS_pidfd_getfd, SYS_process_vm_readv, SYS_process_vm_writev, SYS_userfaultfd, SYS_socketpair,
    SYS_prctl, SYS_ptrace,
};

// Gramine takes each futex for one of its process, whatever it says, and so reaches no other process by any. A filter
// cannot take it so: it lets pass what says that it is private, and the one other wait that an enclave needs, which is
// how glibc joins a thread (the kernel wakes it, when the thread ends). Nothing here can wake another process.
constexpr uint32_t kJoin = FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME;

sock_filter Load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
sock_filter Return(uint32_t what) { return BPF_STMT(BPF_RET | BPF_K, what); }
sock_filter Refuse(int error) { return Return(SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)); }

// SkipUnless passes over the next `count` instructions unless the loaded word is `value`.
sock_filter SkipUnless(uint32_t value, uint8_t count) { return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, count); }

// The low half of an argument: both halves are in the order of this machine, which is x86-64.
size_t ArgumentOffset(size_t index) { return offsetof(seccomp_data, args) + 8 * index; }

std::vector<sock_filter> Program() {
  std::vector<sock_filter> program = {
      Load(offsetof(seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      Return(SECCOMP_RET_KILL_PROCESS),
      Load(offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32Bit, 0, 1),
      Return(SECCOMP_RET_KILL_PROCESS),
  };
  for (uint32_t call : kMissing) {
    program.push_back(SkipUnless(call, 1));
    program.push_back(Refuse(ENOSYS));
  }
  std::vector<sock_filter> arguments = {
      SkipUnless(SYS_socket, 4),  // TCP over IPv4 and IPv6 stays
      Load(ArgumentOffset(0)),
      SkipUnless(AF_UNIX, 1),
      Refuse(EAFNOSUPPORT),
      Return(SECCOMP_RET_ALLOW),
      SkipUnless(SYS_futex, 9),
      Load(ArgumentOffset(1)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FUTEX_PRIVATE_FLAG, 6, 0),
      SkipUnless(kJoin, 4),
      Load(ArgumentOffset(3)),  // no time limit: both halves of the pointer are 0
      SkipUnless(0, 2),
      Load(ArgumentOffset(3) + 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      Refuse(ENOSYS),
      Return(SECCOMP_RET_ALLOW),
      Return(SECCOMP_RET_ALLOW),
  };
  program.insert(program.end(), arguments.begin(), arguments.end());
  return program;
}

}  // namespace

Status RestrictToGramine() {
  std::vector<sock_filter> instructions = Program();
  sock_fprog program = {static_cast<unsigned short>(instructions.size()), instructions.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0) {
    return {};
  }
  return Unavailable(std::string("this kernel takes no seccomp filter: ") + std::strerror(errno));
}

}  // namespace soter
