// One input is a message type (one byte) and a payload, as either end of the worker's wire may receive it.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/wire/message_codec.h"
#include "untrusted/worker/segment_check.h"

namespace soter::wire {
namespace {

// A message that is accepted has that one encoding.
template <typename Message>
Result<Message> Exercise(std::span<const std::byte> bytes) {
  Message message = TRY(Decode<Message>(bytes));
  std::vector<std::byte> again = Encode(message);
  CHECK(again.size() == bytes.size() && std::equal(again.begin(), again.end(), bytes.begin()), "two encodings");
  return message;
}

void ExerciseSegment(std::span<const std::byte> bytes) {
  constexpr uint64_t kRegionBytes = 1 << 20;
  Result<LoadSegment> segment = Exercise<LoadSegment>(bytes);
  if (!segment.ok()) return;
  KnownWeights weights = {{7, {DType::kFloat32, {4, 4}}}};
  (void)CheckSegment(*segment, weights, kRegionBytes).ok();
  (void)CheckSegment(*segment, weights, 0).ok();
}

void ExerciseMessage(uint8_t type, std::span<const std::byte> bytes) {
  switch (static_cast<MessageType>(type)) {
    case MessageType::kHello: (void)Exercise<Hello>(bytes).ok(); return;
    case MessageType::kHelloReply: (void)Exercise<HelloReply>(bytes).ok(); return;
    case MessageType::kAttach: (void)Exercise<Attach>(bytes).ok(); return;
    case MessageType::kLoadWeight: (void)Exercise<LoadWeight>(bytes).ok(); return;
    case MessageType::kLoadSegment: ExerciseSegment(bytes); return;
    case MessageType::kDrop: (void)Exercise<Drop>(bytes).ok(); return;
    case MessageType::kRun: (void)Exercise<Run>(bytes).ok(); return;
    case MessageType::kOutput: (void)Exercise<Output>(bytes).ok(); return;
    case MessageType::kDone: (void)Exercise<Done>(bytes).ok(); return;
    case MessageType::kFailed: (void)Exercise<Failed>(bytes).ok(); return;
    default: return;
  }
}

}  // namespace
}  // namespace soter::wire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 0) soter::wire::ExerciseMessage(data[0], std::as_bytes(std::span(data + 1, size - 1)));
  return 0;
}
