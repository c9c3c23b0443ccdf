#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/base/result.h"

// Pages for keys, weights and activations: left out of core dumps, zero in a child process, between two pages that
// nobody may touch, locked against being swapped out, and wiped when they go, also when the process dies of a signal
// (WipeProtectedPages). Against root and the kernel they protect nothing; a TEE does that.
namespace soter {

// Locking says what becomes of pages that the system does not let us lock.
enum class Locking : uint8_t {
  kTried,     // they are used as they are
  kRequired,  // they are refused
};

// MapProtectedPages maps `size_bytes`, not 0, rounded up to pages, zeroed. Pages of 2 MiB are used where they fit.
// Errors: kExhausted (no memory; or RLIMIT_MEMLOCK: the message names the limit, what is locked and what is needed).
Result<std::byte*> MapProtectedPages(size_t size_bytes, Locking locking);

// UnmapProtectedPages wipes and returns what MapProtectedPages gave out.
void UnmapProtectedPages(std::byte* data);

// LockProtectedPages locks all that was mapped with kTried before. Errors: kExhausted, as above.
Status LockProtectedPages();

// RequireLockable finds out whether `size_bytes` more could be locked now, which is cheap. `what` begins the message.
// Errors: kExhausted, as above.
Status RequireLockable(size_t size_bytes, const std::string& what);

// WipeProtectedPages overwrites all protected pages of the process. What needs their contents is of no use after it.
// May be called in a signal handler.
void WipeProtectedPages();

// ProtectedPageBytes counts what is mapped, and LockedPageBytes what of it is locked.
size_t ProtectedPageBytes();
size_t LockedPageBytes();

}  // namespace soter
