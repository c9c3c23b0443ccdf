// One input is a message number (one byte, as the list below counts) and a payload of the control protocol.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common/wire/control_codec.h"

namespace soter::control {
namespace {

// A message that is accepted has that one encoding.
template <typename Message>
void Exercise(std::span<const std::byte> bytes) {
  Result<Message> message = Decode<Message>(bytes);
  if (!message.ok()) return;
  std::vector<std::byte> again = Encode(*message);
  CHECK(again.size() == bytes.size() && std::equal(again.begin(), again.end(), bytes.begin()), "two encodings");
}

}  // namespace
}  // namespace soter::control

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace soter::control;
  using Target = void (*)(std::span<const std::byte>);
  constexpr Target kTargets[] = {Exercise<Settings>,  Exercise<ModelReport>, Exercise<PlanRequest>,
                                 Exercise<PlanReport>, Exercise<RunRequest>,  Exercise<RunReport>,
                                 Exercise<Progress>,   Exercise<Failure>,     Exercise<SealedModel>,
                                 Exercise<AttestRequest>, Exercise<Attested>};
  if (size > 0 && data[0] < std::size(kTargets)) kTargets[data[0]](std::as_bytes(std::span(data + 1, size - 1)));
  return 0;
}
