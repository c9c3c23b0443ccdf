#include "untrusted/worker/segment_buffers.h"

#include <cstring>

namespace soter {

Result<std::byte*> SegmentBuffers::Place(const PortPlace& place, std::span<std::byte> region,
                                         std::span<std::byte>& crossing) {
  if (!region.empty()) {
    crossing = region.subspan(place.port.offset, place.size_bytes);
    if (place.port.type.dtype == DType::kFloat32) return crossing.data();
  }
  buffers_.push_back(TRY(TryBuffer(place.size_bytes)));
  private_bytes_ += place.size_bytes;
  if (region.empty()) crossing = buffers_.back().bytes();
  return buffers_.back().bytes().data();
}

Result<SegmentBuffers> SegmentBuffers::Make(const CheckedSegment& segment, std::span<std::byte> region) {
  SegmentBuffers made;
  for (const PortPlace& place : segment.inputs) {
    std::span<std::byte> crossing;
    std::byte* data = TRY(made.Place(place, region, crossing));
    made.input_pointers_.push_back(data);
    made.arriving_.push_back(crossing);
    if (data != crossing.data()) made.staged_inputs_.push_back({data, crossing});
  }
  for (const PortPlace& place : segment.outputs) {
    std::span<std::byte> crossing;
    made.output_pointers_.push_back(TRY(made.Place(place, region, crossing)));
    made.leaving_.push_back(crossing);
  }
  return made;
}

void SegmentBuffers::CopyIn() const {
  for (auto [to, from] : staged_inputs_) {
    if (!from.empty()) std::memcpy(to, from.data(), from.size());
  }
}

void SegmentBuffers::CopyOut(size_t output) const {
  std::span<std::byte> to = leaving_[output];
  if (!to.empty() && output_pointers_[output] != to.data()) std::memcpy(to.data(), output_pointers_[output], to.size());
}

}  // namespace soter
