#include "common/wire/address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace soter::wire {

namespace {

constexpr int kBacklog = 16;

// SocketAddress is an Address as the kernel takes it.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size_bytes = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

Error BadAddress(std::string_view text, const std::string& why) {
  return InvalidArgument("address \"" + std::string(text) + "\": " + why +
                         "; give unix:PATH, HOST:PORT or [v6]:PORT with a numeric host or localhost");
}

Error SystemError(const std::string& what, int error_number) {
  return Unavailable(what + ": " + std::strerror(error_number));
}

bool FillTcp(const Address& address, SocketAddress& out) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, address.host.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    out.size_bytes = sizeof(sockaddr_in);
    return true;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET6, address.host.c_str(), &v6->sin6_addr) != 1) return false;
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  out.size_bytes = sizeof(sockaddr_in6);
  return true;
}

Result<SocketAddress> ToSocketAddress(const Address& address) {
  SocketAddress out;
  if (address.kind == Address::Kind::kTcp) {
    if (!FillTcp(address, out)) return BadAddress(AddressString(address), "the host is not numeric");
    return out;
  }
  auto* local = reinterpret_cast<sockaddr_un*>(&out.storage);
  if (address.path.empty() || address.path.size() >= sizeof(local->sun_path)) {
    return BadAddress(AddressString(address), "a socket path has 1 to 107 bytes");
  }
  local->sun_family = AF_UNIX;
  std::memcpy(local->sun_path, address.path.c_str(), address.path.size() + 1);
  out.size_bytes = sizeof(sockaddr_un);
  return out;
}

bool IsLoopback(const SocketAddress& address) {
  if (address.family() == AF_UNIX) return true;
  if (address.family() == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_addr.s_addr) >> 24 == 127;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_addr);
}

Result<UniqueFd> OpenSocket(int family) {
  UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return SystemError("cannot open a socket", errno);
  return socket;
}

// NoDelay sends small frames at once: each is awaited by the peer.
void NoDelay(int fd) {
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));  // fails harmlessly on a Unix socket
}

// IsStale tells whether a Unix socket's file has no listener behind it any more.
bool IsStale(const SocketAddress& address, const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return probe.valid() && ::connect(probe.get(), address.get(), address.size_bytes) != 0 && errno == ECONNREFUSED;
}

Status Bind(int fd, const SocketAddress& target, const Address& address) {
  if (::bind(fd, target.get(), target.size_bytes) == 0) return {};
  bool retry = errno == EADDRINUSE && address.kind == Address::Kind::kUnix && IsStale(target, address.path);
  if (retry && ::unlink(address.path.c_str()) == 0 && ::bind(fd, target.get(), target.size_bytes) == 0) return {};
  return SystemError("cannot listen on " + AddressString(address), errno);
}

uint16_t BoundPort(int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return 0;
  if (storage.ss_family == AF_INET) return ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
  return ntohs(reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
}

int PollTimeoutMs(Deadline deadline) {
  if (deadline == kNoDeadline) return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 1'000'000'000));
}

bool Wait(int fd, short events, Deadline deadline) {
  pollfd entry{fd, events, 0};
  for (;;) {
    int ready = ::poll(&entry, 1, PollTimeoutMs(deadline));
    if (ready > 0) return true;  // an error or a hang-up shows at the next read or write
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

Result<Address> ParseAddress(std::string_view text) {
  constexpr std::string_view kUnixPrefix = "unix:";
  Address address;
  if (text.starts_with(kUnixPrefix)) {
    address.path = text.substr(kUnixPrefix.size());
    if (address.path.find('\0') != std::string::npos) return BadAddress("unix:...", "the path holds a zero byte");
    TRY(ToSocketAddress(address));
    return address;
  }
  address.kind = Address::Kind::kTcp;
  size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text, "there is no port");
  std::string_view host = text.substr(0, colon);
  std::string_view port = text.substr(colon + 1);
  auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) return BadAddress(text, "the port is not 0 to 65535");
  bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed != (host.find(':') != std::string_view::npos)) return BadAddress(text, "brackets are for IPv6");
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  TRY(ToSocketAddress(address));
  return address;
}

std::string AddressString(const Address& address) {
  if (address.kind == Address::Kind::kUnix) return "unix:" + address.path;
  bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

Result<Listener> Listener::Listen(const Address& address, Reach reach) {
  SocketAddress target = TRY(ToSocketAddress(address));
  if (reach == Reach::kThisMachine && !IsLoopback(target)) {
    return InvalidArgument(AddressString(address) +
                           " can be reached from other machines; use 127.0.0.1 or unix:PATH");
  }
  UniqueFd socket = TRY(OpenSocket(target.family()));
  int on = 1;
  if (target.family() != AF_UNIX) setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  TRY(Bind(socket.get(), target, address));
  Listener listener(std::move(socket), address);
  // Nobody can connect before listen(), so the file is never open to others.
  bool narrowed = target.family() != AF_UNIX || ::chmod(address.path.c_str(), 0600) == 0;
  if (!narrowed || ::listen(listener.socket_.get(), kBacklog) != 0) {
    return SystemError("cannot listen on " + AddressString(address), errno);
  }
  if (address.kind == Address::Kind::kTcp) listener.address_.port = BoundPort(listener.socket_.get());
  return listener;
}

Listener::~Listener() {
  if (socket_.valid() && address_.kind == Address::Kind::kUnix) ::unlink(address_.path.c_str());
}

Result<UniqueFd> Listener::Accept(Deadline deadline, int stop_fd) const {
  for (;;) {
    pollfd entries[2] = {{socket_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    int ready = ::poll(entries, 2, PollTimeoutMs(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return Unavailable("nobody connected to " + AddressString(address_) + " in time");
    if (entries[1].revents != 0) return Unavailable("stopped listening on " + AddressString(address_));
    UniqueFd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (peer.valid()) {
      NoDelay(peer.get());
      return peer;
    }
    bool passing = errno == EAGAIN || errno == EINTR || errno == ECONNABORTED;
    if (!passing) return SystemError("cannot accept on " + AddressString(address_), errno);
  }
}

Result<UniqueFd> Connect(const Address& address, Deadline deadline) {
  SocketAddress target = TRY(ToSocketAddress(address));
  UniqueFd socket = TRY(OpenSocket(target.family()));
  NoDelay(socket.get());
  int failure = 0;
  if (::connect(socket.get(), target.get(), target.size_bytes) != 0) failure = errno;
  if (failure == EINPROGRESS || failure == EINTR) {
    if (!WaitWritable(socket.get(), deadline)) {
      return Unavailable("cannot connect to " + AddressString(address) + ": no answer in time");
    }
    socklen_t size = sizeof(failure);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &failure, &size) != 0) failure = errno;
  }
  if (failure != 0) return SystemError("cannot connect to " + AddressString(address), failure);
  return socket;
}

bool WaitReadable(int fd, Deadline deadline) { return Wait(fd, POLLIN, deadline); }
bool WaitWritable(int fd, Deadline deadline) { return Wait(fd, POLLOUT, deadline); }

}  // namespace soter::wire
