#include "trusted/crypto/locked_memory.h"

#include "common/base/protected_pages.h"

namespace soter {

Result<LockedBuffer> LockedBuffer::Allocate(size_t size_bytes) {
  if (size_bytes == 0) return LockedBuffer();
  return LockedBuffer(TRY(MapProtectedPages(size_bytes, Locking::kRequired)), size_bytes);
}

LockedBuffer::~LockedBuffer() {
  if (data_ != nullptr) UnmapProtectedPages(data_);
}

}  // namespace soter
