#pragma once

#include <string>

#include "common/base/result.h"

namespace soter {

// RestrictToGramine denies this process, and all that it starts, what Gramine (1.9) does not offer an enclave: Unix
// sockets, descriptors passed between processes, futexes that wake other processes, timerfd, memfd, io_uring, System V
// shared memory, seccomp, landlock. Each denied call fails as under Gramine, with ENOSYS or, for a kind of socket,
// EAFNOSUPPORT. It cannot be undone. Errors: kUnavailable.
// It denies calls, and does not imitate the rest of Gramine: memory of its own, exec, its file system.
Status RestrictToGramine();

}  // namespace soter
