#include "common/wire/message_codec.h"

#include "common/wire/field_codec.h"

namespace soter::wire {

namespace {

// CheckFields refuses what the fields' types allow but the specification does not.
template <typename Message>
Status CheckFields(const Message&) {
  return {};
}

Status CheckFields(const Hello& hello) {
  if (hello.threads < 1 || hello.threads > kMaxThreads) return Malformed("threads must be 1 to 1024");
  return {};
}

Status CheckFields(const Attach& attach) {
  if (attach.size_bytes > kMaxRegionBytes) return Malformed("the shared region is over 1 TiB");
  return {};
}

Status CheckFields(const LoadWeight& weight) {
  if (weight.id == kNoWeight) return Malformed("weight id 0 stands for none");
  return {};
}

Status CheckPorts(const std::vector<Port>& ports) {
  if (ports.size() > kMaxPorts) return Malformed("too many inputs or outputs");
  for (const Port& port : ports) {
    if (port.planes < 1) return Malformed("a port has no plane");
    if (port.offset % 64 != 0) return Malformed("an offset is not a multiple of 64");
    TRY(LaidOutBytes(port.type, port.layout));
  }
  return {};
}

Status CheckFields(const LoadSegment& segment) {
  TRY(CheckPorts(segment.inputs));
  return CheckPorts(segment.outputs);
}

}  // namespace

template <typename Message>
std::vector<std::byte> Encode(const Message& message) {
  return EncodeFields(message);
}

template <typename Message>
Result<Message> Decode(std::span<const std::byte> bytes) {
  Message message = TRY(DecodeFields<Message>(bytes));
  TRY(CheckFields(message));
  return message;
}

Result<MessageType> MessageTypeFromNumber(uint16_t number) {
  if (number < 1 || number > static_cast<uint16_t>(MessageType::kLast)) {
    return Malformed("no message has type " + std::to_string(number));
  }
  return static_cast<MessageType>(number);
}

#define SOTER_MESSAGE(Message)                                      \
  template std::vector<std::byte> Encode<Message>(const Message&); \
  template Result<Message> Decode<Message>(std::span<const std::byte>);
SOTER_MESSAGE(Hello)
SOTER_MESSAGE(HelloReply)
SOTER_MESSAGE(Attach)
SOTER_MESSAGE(LoadWeight)
SOTER_MESSAGE(LoadSegment)
SOTER_MESSAGE(Drop)
SOTER_MESSAGE(Run)
SOTER_MESSAGE(Output)
SOTER_MESSAGE(Done)
SOTER_MESSAGE(Failed)
#undef SOTER_MESSAGE

}  // namespace soter::wire
