#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/base/unique_fd.h"

namespace soter::wire {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNoDeadline = Deadline::max();

// Address is where a peer listens: "unix:PATH", "HOST:PORT" or "[v6]:PORT". HOST is a numeric address or
// "localhost": no name is looked up, so that the enclave needs no resolver.
struct Address {
  enum class Kind : uint8_t { kUnix, kTcp };
  Kind kind = Kind::kUnix;
  std::string path;  // of kUnix
  std::string host;  // of kTcp: numeric, without brackets
  uint16_t port = 0;
  bool operator==(const Address&) const = default;
};

// ParseAddress reads one of the three forms. Errors: kInvalidArgument, saying what is accepted.
Result<Address> ParseAddress(std::string_view text);
std::string AddressString(const Address& address);

// Reach says from where a listener can be connected to.
enum class Reach : uint8_t { kThisMachine, kAnywhere };

// Listener owns a listening socket, and removes a Unix socket's file when it goes.
class Listener {
 public:
  // Listen binds `address`; port 0 picks a free one. A Unix socket is for this user only; a file left behind
  // by a process that is gone is replaced.
  // Errors: kInvalidArgument (kThisMachine with an address that others can reach), kUnavailable (in use, no right).
  static Result<Listener> Listen(const Address& address, Reach reach);

  Listener(Listener&& other) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener();

  // Accept waits for the next peer. `stop_fd`, when it is a descriptor, ends the wait once it is readable.
  // Errors: kUnavailable (deadline, or stopped).
  Result<UniqueFd> Accept(Deadline deadline, int stop_fd = -1) const;

  const Address& address() const { return address_; }  // with the port that was picked

 private:
  Listener(UniqueFd socket, Address address) : socket_(std::move(socket)), address_(std::move(address)) {}
  UniqueFd socket_;
  Address address_;
};

// Connect opens a socket to `address`. Errors: kUnavailable (nobody there, or later than the deadline).
Result<UniqueFd> Connect(const Address& address, Deadline deadline);

// WaitReadable and WaitWritable wait for a descriptor; false when the deadline came first.
bool WaitReadable(int fd, Deadline deadline);
bool WaitWritable(int fd, Deadline deadline);

}  // namespace soter::wire
