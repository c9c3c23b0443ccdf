#pragma once

#include <cstddef>
#include <span>

#include "common/base/result.h"
#include "common/wire/address.h"

namespace soter::wire {

// Channel carries bytes between two peers, in order; whether they are encrypted on the way is the channel's own matter.
// Errors of every method: kUnavailable (peer gone, or later than the deadline), kMalformed (no honest peer). After an
// error it is of no more use. Not thread-safe.
class Channel {
 public:
  virtual ~Channel() = default;

  // Send hands over all of `bytes`.
  virtual Status Send(std::span<const std::byte> bytes, Deadline deadline) = 0;

  // ReceiveSome fills the front of `target`, which is not empty, and returns how much; 0: the peer ended the stream.
  virtual Result<size_t> ReceiveSome(std::span<std::byte> target, Deadline deadline) = 0;

  // AwaitReadable waits until something (bytes, or the end) can be received; false when the deadline came first.
  virtual bool AwaitReadable(Deadline deadline) = 0;

  virtual int fd() const = 0;  // of the socket beneath
};

}  // namespace soter::wire
