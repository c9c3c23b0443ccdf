#include "untrusted/backend/cuda/host_buffers.h"

#include <functional>

namespace soter::cuda {

void PinnedRegion::Unpin() {
  if (!region_.empty() && !IsLost()) static_cast<void>(cudaHostUnregister(region_.data()));
  region_ = {};
}

void PinnedRegion::Pin(std::span<std::byte> region) {
  Unpin();
  if (region.empty()) return;
  if (cudaHostRegister(region.data(), region.size(), cudaHostRegisterPortable) == cudaSuccess) region_ = region;
  else static_cast<void>(cudaGetLastError());  // a limit on locked memory, say; staging serves instead
}

bool PinnedRegion::Contains(const std::byte* data, size_t size_bytes) const {
  std::less_equal<> before;
  return !region_.empty() && before(region_.data(), data) &&
         before(data + size_bytes, region_.data() + region_.size());
}

Result<bool> HostBuffer::Bind(const PinnedRegion& region, std::byte* data) {
  std::byte* old = copied;
  caller = data;
  if (region.Contains(data, size_bytes)) {
    copied = data;
    return copied != old;
  }
  if (staging == nullptr) staging = TRY(AllocatePinned(size_bytes));
  copied = static_cast<std::byte*>(staging.get());
  return copied != old;
}

}  // namespace soter::cuda
