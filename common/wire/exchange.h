#pragma once

#include <array>
#include <vector>

#include "common/base/writer.h"
#include "common/wire/connection.h"
#include "common/wire/message_codec.h"

// Whole messages over a Connection. A message with data behind it (LoadWeight, Run, Output) is preceded by its own
// size, so that the data can go straight to where it is used (docs/spec/wire.md, 2).
namespace soter::wire {

// ReceivePayload reads the rest of the current frame. Room is made as bytes arrive, so a header that promises
// more than it sends costs little. Errors: as Connection::Read.
Result<std::vector<std::byte>> ReceivePayload(Connection& connection, Deadline deadline);

// DiscardPayload skips it.
Status DiscardPayload(Connection& connection, Deadline deadline);

// SendMessage sends a message without data.
template <typename Message>
Status SendMessage(Connection& connection, MessageType type, uint64_t request, const Message& message,
                   Deadline deadline) {
  std::vector<std::byte> bytes = Encode(message);
  return connection.Send(static_cast<uint16_t>(type), request, {bytes}, deadline);
}

// EncodeHead lays out a message that data will follow: u32 size, then its bytes.
template <typename Message>
std::vector<std::byte> EncodeHead(const Message& message) {
  std::vector<std::byte> body = Encode(message);
  Writer head;
  head.WriteCount(body.size());
  head.WriteBytes(body);
  return std::move(head).Take();
}

// ReceiveHead reads such a message; connection.unread() is then the size of the data. Errors: as Connection.
template <typename Message>
Result<Message> ReceiveHead(Connection& connection, Deadline deadline) {
  uint32_t size = 0;
  TRY(connection.Read(std::as_writable_bytes(std::span(&size, 1)), deadline));
  if (size > kMaxHeadBytes) return Malformed("a message's head is too long");
  std::array<std::byte, kMaxHeadBytes> head;
  std::span<std::byte> used = std::span(head).first(size);
  TRY(connection.Read(used, deadline));
  return Decode<Message>(used);
}

}  // namespace soter::wire
