#include "trusted/crypto/process_protection.h"

#include <openssl/crypto.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>

#include "common/base/private_memory.h"
#include "common/base/protected_pages.h"

namespace soter {
namespace {

// What ends a process by itself and can be caught.
constexpr int kFatalSignals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGILL,  SIGABRT, SIGBUS,  SIGFPE,
                                 SIGSEGV, SIGTERM, SIGSYS,  SIGXCPU, SIGXFSZ, SIGALRM, SIGTRAP};

std::atomic<int> socket_to_shut_down{-1};
std::atomic_flag wiping = ATOMIC_FLAG_INIT;

// Runs with every other signal blocked; a second thread that gets here waits for the end of the process.
void WipeAndDie(int signal) {
  if (!wiping.test_and_set()) {
    if (int socket = socket_to_shut_down; socket >= 0) ::shutdown(socket, SHUT_RDWR);
    WipeProtectedPages();
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    sigset_t pending;
    sigemptyset(&pending);
    sigaddset(&pending, signal);
    ::pthread_sigmask(SIG_UNBLOCK, &pending, nullptr);
  }
  for (;;) ::pause();
}

Status CatchFatalSignals() {
  struct sigaction action = {};
  action.sa_handler = WipeAndDie;
  sigfillset(&action.sa_mask);
  for (int signal : kFatalSignals)
    if (::sigaction(signal, &action, nullptr) != 0) return Unavailable("signals cannot be caught (sigaction)");
  // `soter` has its enclave killed when it goes itself; a signal that can be caught does as well.
  int when_parent_dies = 0;
  if (::prctl(PR_GET_PDEATHSIG, &when_parent_dies) == 0 && when_parent_dies == SIGKILL)
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  return {};
}

// OpenSSL frees without a size: what stands before each block knows it. OpenSSL's alignment of 16 is kept.
struct Header {
  PrivateMemory memory;
  size_t size_bytes;
};
static_assert(sizeof(Header) % 16 == 0);

Header* HeaderOf(void* block) { return static_cast<Header*>(block) - 1; }

void* OpensslMalloc(size_t size_bytes, const char*, int) {
  if (size_bytes == 0) return nullptr;
  Result<PrivateMemory> memory = PrivateMemory::Allocate(sizeof(Header) + size_bytes);
  if (!memory.ok()) return nullptr;
  void* place = memory->bytes().data();
  return new (place) Header{*std::move(memory), size_bytes} + 1;
}

void OpensslFree(void* block, const char*, int) {
  if (block == nullptr) return;
  PrivateMemory memory = std::move(HeaderOf(block)->memory);  // wiped and freed when this ends
}

void* OpensslRealloc(void* block, size_t size_bytes, const char* file, int line) {
  if (block == nullptr) return OpensslMalloc(size_bytes, file, line);
  void* larger = OpensslMalloc(size_bytes, file, line);
  if (larger != nullptr) std::memcpy(larger, block, std::min(size_bytes, HeaderOf(block)->size_bytes));
  if (larger != nullptr || size_bytes == 0) OpensslFree(block, file, line);
  return larger;
}

// More than any machine has: where this may be locked there is no limit, and mappings to come cannot fail for one.
bool MayLockEverything() {
  constexpr size_t kNoMachineHas = size_t{1} << 46;
  return RequireLockable(kNoMachineHas, "").ok();
}

}  // namespace

Status ForbidInspection() {
  rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return Unavailable("core dumps cannot be turned off (setrlimit)");
#ifndef __SANITIZE_ADDRESS__  // which looks for leaks through ptrace
  // A library OS in a TEE knows neither this call nor ptrace: nobody outside can read the enclave's memory.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 && errno != ENOSYS)
    return Unavailable("ptrace cannot be forbidden (prctl)");
#endif
  return {};
}

Status ProtectProcess() {
  TRY(ForbidInspection());
  TRY(RaiseMemoryProtection(MemoryProtection::kLockIfAllowed));
  if (CRYPTO_set_mem_functions(OpensslMalloc, OpensslRealloc, OpensslFree) != 1)
    return Unavailable("OpenSSL has memory already: the process was protected too late");
  if (MayLockEverything()) ::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
  return CatchFatalSignals();
}

void ShutDownBeforeWipe(int socket) { socket_to_shut_down = socket; }

}  // namespace soter
