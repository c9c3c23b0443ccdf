#pragma once

#include "common/base/result.h"

namespace soter {

// ProtectProcess makes this process one that holds secrets; called once, before it has any. From then on
//   - tensors, keys and all of OpenSSL's memory lie in protected pages (common/base/private_memory.h, kLockIfAllowed);
//   - there are no core dumps of it, and no ptrace by processes of the same user;
//   - whatever signal ends it, all protected pages are overwritten first (SIGKILL, which nothing can, aside);
//   - where the limit allows, which means CAP_IPC_LOCK or no limit, everything else is locked too: stacks, heap, code.
// Errors: kUnavailable (the system refuses what every Linux does).
Status ProtectProcess();

// ShutDownBeforeWipe names a socket that is shut down before memory is overwritten by a signal, so that no answer
// computed from overwritten weights leaves through it. At most one; -1: none.
void ShutDownBeforeWipe(int socket);

// ForbidInspection turns off core dumps, and ptrace by processes of the same user, for this process.
// Errors: kUnavailable (the system refuses).
Status ForbidInspection();

}  // namespace soter
