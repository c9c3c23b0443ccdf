#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "common/base/result.h"

namespace soter::wire {

inline constexpr const char* kSharedDirectory = "/dev/shm";

// SharedRegion is memory that two processes map through a named file: nothing else is needed, so it also works
// inside a library OS that passes no descriptors. The file is reserved in full when it is made, so that a lack of
// memory is an error then and no signal later; it is unlinked as soon as the peer has mapped it.
// A peer can still cut the file short and so end this process, as the host can by simpler means.
class SharedRegion {
 public:
  SharedRegion() = default;
  SharedRegion(SharedRegion&& other) noexcept { *this = std::move(other); }
  SharedRegion& operator=(SharedRegion&& other) noexcept;
  ~SharedRegion() { Reset(); }

  // Create makes a file "soter-PID-RANDOM" of `size_bytes` for this user only in `directory`, filled with zeros.
  // Errors: kExhausted (not enough memory there; says how much is needed), kUnavailable (no such directory).
  static Result<SharedRegion> Create(const std::string& directory, uint64_t size_bytes);

  // Attach maps the file at `path`, which a peer made; it must lie in `directory` itself and bear such a name.
  // Errors: kMalformed (another path), kUnavailable (not to be opened, or smaller than `size_bytes`).
  static Result<SharedRegion> Attach(const std::string& directory, const std::string& path, uint64_t size_bytes);

  // Unlink removes the name; the memory stays while it is mapped.
  void Unlink();

  const std::string& path() const { return path_; }
  std::span<std::byte> bytes() const { return bytes_; }
  bool mapped() const { return !bytes_.empty(); }

 private:
  void Reset();
  Status Map(int fd, uint64_t size_bytes);

  std::string path_;  // empty once unlinked, or of a region that a peer made
  std::span<std::byte> bytes_;
};

}  // namespace soter::wire
