#include "untrusted/worker/exit_guard.h"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "common/base/check.h"

namespace soter {

namespace {

// BecomesReadable waits up to `timeout_ms` (-1: for ever) for either descriptor; tells whether `wanted` is readable.
bool BecomesReadable(int wanted, int other, int timeout_ms) {
  pollfd entries[2] = {{wanted, POLLIN, 0}, {other, POLLIN, 0}};
  while (::poll(entries, 2, timeout_ms) < 0 && errno == EINTR) continue;
  return entries[0].revents != 0;
}

}  // namespace

ExitGuard::ExitGuard(int stop_fd, std::chrono::milliseconds grace) : ended_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  CHECK(ended_.valid(), "a process has a descriptor left when it starts");
  thread_ = std::thread([this, stop_fd, grace] { Watch(stop_fd, grace); });
}

ExitGuard::~ExitGuard() {
  ::eventfd_write(ended_.get(), 1);
  thread_.join();
}

void ExitGuard::Watch(int stop_fd, std::chrono::milliseconds grace) const {
  constexpr int kNobody = -1, kForEver = -1;
  if (BecomesReadable(ended_.get(), stop_fd, kForEver)) return;
  if (BecomesReadable(ended_.get(), kNobody, static_cast<int>(grace.count()))) return;
  std::fprintf(stderr, "stopped with work still under way\n");
  std::_Exit(0);  // neither destructors nor a vendor's exit handlers, which would wait for the device
}

}  // namespace soter
