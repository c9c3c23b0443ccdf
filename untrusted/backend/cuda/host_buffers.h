#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "untrusted/backend/cuda/device.h"

namespace soter::cuda {

// PinnedRegion is the memory shared with the client, made known to the device: its copies then need no detour and run
// beside everything else. Where the system does not let it be pinned, it is not, and buffers are staged.
class PinnedRegion {
 public:
  PinnedRegion() = default;
  PinnedRegion(const PinnedRegion&) = delete;
  ~PinnedRegion() { Unpin(); }

  // Pin replaces what was pinned before; nothing may be copying. An empty region pins nothing.
  void Pin(std::span<std::byte> region);
  bool Contains(const std::byte* data, size_t size_bytes) const;

 private:
  void Unpin();

  std::span<std::byte> region_;  // empty: none is pinned
};

// HostBuffer is one port of a segment on the host's side: the caller's memory where the device can reach it, else a
// pinned buffer of our own.
struct HostBuffer {
  std::byte* caller = nullptr;
  std::byte* copied = nullptr;  // what the device reads or writes: `caller` or `staging`
  size_t size_bytes = 0;
  PinnedMemory staging;

  // Bind chooses for `data`. Returns whether what the device touches is another than before: then work that was
  // recorded with the old one is stale. Errors: kExhausted, kUnavailable.
  Result<bool> Bind(const PinnedRegion& region, std::byte* data);

  void TakeFromCaller() const { Copy(copied, caller); }
  void GiveToCaller() const { Copy(caller, copied); }

 private:
  void Copy(std::byte* to, const std::byte* from) const {
    if (to != from && size_bytes > 0) std::memcpy(to, from, size_bytes);
  }
};

}  // namespace soter::cuda
