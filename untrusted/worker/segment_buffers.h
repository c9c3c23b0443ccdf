#pragma once

#include <vector>

#include "untrusted/worker/segment_check.h"

namespace soter {

// SegmentBuffers are the memory that one segment reads and writes: the shared region, or buffers of its own.
// Whatever is not float32 (indices, shapes) is copied between the region and private memory, so that a client cannot
// change a number after a kernel has checked it.
class SegmentBuffers {
 public:
  // Make places the ports of `segment` in `region`, or in private memory when it is empty. Errors: kExhausted.
  static Result<SegmentBuffers> Make(const CheckedSegment& segment, std::span<std::byte> region);

  // What a backend is given.
  std::span<const std::byte* const> inputs() const { return input_pointers_; }
  std::span<std::byte* const> outputs() const { return output_pointers_; }

  // What crosses: where the client's bytes arrive, and where it, or a frame, finds an output.
  std::span<std::byte> arriving(size_t input) const { return arriving_[input]; }
  std::span<std::byte> leaving(size_t output) const { return leaving_[output]; }
  std::span<const std::span<std::byte>> all_leaving() const { return leaving_; }

  // CopyIn takes private copies of all inputs that need one; CopyOut gives one output back.
  void CopyIn() const;
  void CopyOut(size_t output) const;

  size_t private_bytes() const { return private_bytes_; }

 private:
  Result<std::byte*> Place(const PortPlace& place, std::span<std::byte> region, std::span<std::byte>& crossing);

  std::vector<Buffer> buffers_;
  std::vector<const std::byte*> input_pointers_;
  std::vector<std::byte*> output_pointers_;
  std::vector<std::span<std::byte>> arriving_, leaving_;
  std::vector<std::pair<std::byte*, std::span<const std::byte>>> staged_inputs_;  // to, from
  size_t private_bytes_ = 0;
};

// LoadedSegment is a segment that can be run.
struct LoadedSegment {
  CheckedSegment segment;
  SegmentBuffers buffers;
};

}  // namespace soter
