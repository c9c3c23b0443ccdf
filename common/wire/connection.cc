#include "common/wire/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/base/checked.h"
#include "common/base/reader.h"

namespace soter::wire {

namespace {

constexpr size_t kPiecesAtOnce = 16;

template <typename T>
void Put(std::span<std::byte> target, size_t offset, T value) {
  std::memcpy(target.data() + offset, &value, sizeof(T));
}

// SendSome writes from the front of `parts` until all is written, advancing them.
Status SendParts(int fd, std::span<iovec> parts, Deadline deadline) {
  while (!parts.empty()) {
    if (parts.front().iov_len == 0) {
      parts = parts.subspan(1);
      continue;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return Unavailable("the connection was closed by the peer");
      if (!WaitWritable(fd, deadline)) return Unavailable("the peer took nothing in before the deadline");
      continue;
    }
    for (size_t left = static_cast<size_t>(sent); left > 0;) {
      size_t step = std::min(left, parts.front().iov_len);
      parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + step;
      parts.front().iov_len -= step;
      left -= step;
      if (parts.front().iov_len == 0) parts = parts.subspan(1);
    }
  }
  return {};
}

iovec PartOf(std::span<const std::byte> bytes) {
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};  // sendmsg reads only
}

}  // namespace

std::array<std::byte, kFrameHeaderBytes> EncodeFrameHeader(uint32_t magic, const FrameHeader& header) {
  std::array<std::byte, kFrameHeaderBytes> bytes;
  Put(bytes, 0, magic);
  Put(bytes, 4, kProtocolVersion);
  Put(bytes, 6, header.type);
  Put(bytes, 8, header.request);
  Put(bytes, 16, header.payload_bytes);
  return bytes;
}

Status SendBytes(int fd, std::span<const std::byte> bytes, Deadline deadline) {
  iovec part = PartOf(bytes);
  return SendParts(fd, {&part, 1}, deadline);
}

Status Connection::Send(uint16_t type, uint64_t request, std::span<const Piece> pieces, Deadline deadline) {
  FrameHeader header{.type = type, .request = request};
  for (const Piece& piece : pieces) header.payload_bytes += piece.size();
  auto bytes = EncodeFrameHeader(magic_, header);
  if (channel_) {
    TRY(channel_->Send(bytes, deadline));
    for (const Piece& piece : pieces) TRY(channel_->Send(piece, deadline));
    return {};
  }
  std::array<iovec, kPiecesAtOnce> parts;
  parts[0] = PartOf(bytes);
  size_t filled = 1;
  for (const Piece& piece : pieces) {
    if (filled == parts.size()) {
      TRY(SendParts(socket_.get(), {parts.data(), filled}, deadline));
      filled = 0;
    }
    parts[filled++] = PartOf(piece);
  }
  return SendParts(socket_.get(), {parts.data(), filled}, deadline);
}

Status Connection::ReadChannel(std::span<std::byte> target, Deadline deadline) {
  while (!target.empty()) {
    size_t got = TRY(channel_->ReceiveSome(target, deadline));
    if (got == 0) return Unavailable("the connection was closed by the peer");
    target = target.subspan(got);
  }
  return {};
}

Status Connection::ReadAll(std::span<std::byte> target, Deadline deadline) {
  if (channel_) return ReadChannel(target, deadline);
  while (!target.empty()) {
    ssize_t got = ::recv(socket_.get(), target.data(), target.size(), 0);
    if (got > 0) {
      target = target.subspan(static_cast<size_t>(got));
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0 || errno != EAGAIN) return Unavailable("the connection was closed by the peer");
    if (!WaitReadable(socket_.get(), deadline)) return Unavailable("no answer before the deadline");
  }
  return {};
}

Result<FrameHeader> Connection::Receive(uint64_t max_payload_bytes, Deadline deadline) {
  CHECK(unread_ == 0, "the payload before was not read");
  // Also where bytes are there already: a peer that floods us does not move the deadline.
  bool late = deadline != kNoDeadline && std::chrono::steady_clock::now() > deadline;
  if (late) return Unavailable("no answer before the deadline");
  std::array<std::byte, kFrameHeaderBytes> bytes;
  TRY(ReadAll(bytes, deadline));
  Reader reader(bytes);
  uint32_t magic = TRY(reader.ReadNumber<uint32_t>());
  uint16_t version = TRY(reader.ReadNumber<uint16_t>());
  FrameHeader header;
  header.type = TRY(reader.ReadNumber<uint16_t>());
  header.request = TRY(reader.ReadNumber<uint64_t>());
  header.payload_bytes = TRY(reader.ReadNumber<uint64_t>());
  if (magic != magic_) return Malformed("a frame of another protocol");
  if (version != kProtocolVersion) {
    return Malformed("protocol version " + std::to_string(version) + ", expected " +
                     std::to_string(kProtocolVersion));
  }
  if (header.payload_bytes > max_payload_bytes) {
    return Malformed("a frame of " + std::to_string(header.payload_bytes) + " bytes, where at most " +
                     std::to_string(max_payload_bytes) + " are accepted");
  }
  unread_ = header.payload_bytes;
  return header;
}

Status Connection::Read(std::span<std::byte> target, Deadline deadline) {
  if (target.size() > unread_) return Malformed("a frame ends early");
  TRY(ReadAll(target, deadline));
  unread_ -= target.size();
  return {};
}

void Connection::Shutdown() const { ::shutdown(fd(), SHUT_RDWR); }

}  // namespace soter::wire
