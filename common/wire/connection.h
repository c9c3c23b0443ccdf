#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <span>

#include "common/wire/address.h"
#include "common/wire/channel.h"
#include "common/wire/message.h"

namespace soter::wire {

// FrameHeader is what the 24 bytes before each payload say (docs/spec/wire.md, 1).
struct FrameHeader {
  uint16_t type = 0;
  uint64_t request = 0;
  uint64_t payload_bytes = 0;
};

// Connection carries frames over a stream socket. It allocates nothing: payloads are sent from and received into
// the caller's memory, and the caller learns a payload's size, bounded by its own limit, before it makes room.
// Errors of every method: kUnavailable (peer gone, or later than the deadline), kMalformed (no honest peer).
// After an error the stream is out of step and must be closed. One thread may send while another receives.
class Connection {
 public:
  using Piece = std::span<const std::byte>;

  // `socket` must not block. `magic` tells the protocols apart.
  Connection(UniqueFd socket, uint32_t magic) : socket_(std::move(socket)), magic_(magic) {}

  // The same frames over a channel, in place of a bare socket; then one thread may use the connection at a time.
  Connection(std::unique_ptr<Channel> channel, uint32_t magic) : channel_(std::move(channel)), magic_(magic) {}

  // Send writes one frame whose payload is `pieces` in order.
  Status Send(uint16_t type, uint64_t request, std::span<const Piece> pieces, Deadline deadline);
  Status Send(uint16_t type, uint64_t request, std::initializer_list<Piece> pieces, Deadline deadline) {
    return Send(type, request, std::span<const Piece>(pieces.begin(), pieces.size()), deadline);
  }

  // Receive reads the next header. The payload of the one before must have been read.
  Result<FrameHeader> Receive(uint64_t max_payload_bytes, Deadline deadline);

  // Read fills `target` with the next bytes of the payload. Errors: also kMalformed when it holds fewer.
  Status Read(std::span<std::byte> target, Deadline deadline);
  uint64_t unread() const { return unread_; }  // payload bytes not read yet

  // Readable tells whether something (a frame, or the end) waits to be received; AwaitReadable waits for it, and
  // returns false when the deadline came first.
  bool Readable() const { return AwaitReadable(std::chrono::steady_clock::now()); }
  bool AwaitReadable(Deadline deadline) const {
    return channel_ ? channel_->AwaitReadable(deadline) : WaitReadable(socket_.get(), deadline);
  }

  // Shutdown ends the connection for both sides; a Receive that waits in another thread returns.
  void Shutdown() const;
  int fd() const { return channel_ ? channel_->fd() : socket_.get(); }

 private:
  Status ReadAll(std::span<std::byte> target, Deadline deadline);
  Status ReadChannel(std::span<std::byte> target, Deadline deadline);

  UniqueFd socket_;
  std::unique_ptr<Channel> channel_;  // in place of the socket
  uint32_t magic_;
  uint64_t unread_ = 0;
};

// EncodeFrameHeader lays out a header; Connection does it for frames that are sent through it.
std::array<std::byte, kFrameHeaderBytes> EncodeFrameHeader(uint32_t magic, const FrameHeader& header);

// SendBytes writes raw bytes to a stream socket without raising SIGPIPE. Errors: kUnavailable.
Status SendBytes(int fd, std::span<const std::byte> bytes, Deadline deadline);

}  // namespace soter::wire
