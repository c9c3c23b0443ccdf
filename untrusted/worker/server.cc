#include "untrusted/worker/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace soter {

namespace {

bool IsReadable(int fd) { return wire::WaitReadable(fd, std::chrono::steady_clock::now()); }

// WaitEither waits for one of two descriptors.
void WaitEither(int a, int b) {
  pollfd entries[2] = {{a, POLLIN, 0}, {b, POLLIN, 0}};
  while (::poll(entries, 2, -1) < 0 && errno == EINTR) continue;
}

}  // namespace

Server::~Server() {
  for (Client& client : clients_) client.connection->Shutdown();
  for (Client& client : clients_) client.thread.join();
}

Status Server::Admit(UniqueFd socket) {
  UniqueFd ended(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!ended.valid()) return Unavailable("no descriptor is left for another client");
  auto connection = std::make_shared<wire::Connection>(std::move(socket), wire::kFrameMagic);
  auto serve = [this, connection, ended_fd = ended.get()] {
    Session session(*connection, factory_, options_.session);
    Status served = session.Serve();
    if (!served.ok()) std::fprintf(stderr, "client dropped: %s\n", served.error().message.c_str());
    connection->Shutdown();
    ::eventfd_write(ended_fd, 1);
  };
  clients_.push_back({connection, std::move(ended), std::thread(serve)});
  return {};
}

void Server::Reap() {
  std::erase_if(clients_, [](Client& client) {
    if (!IsReadable(client.ended.get())) return false;
    client.thread.join();
    return true;
  });
}

Status Server::Serve(int stop_fd) {
  while (!IsReadable(stop_fd)) {
    Result<UniqueFd> socket = listener_.Accept(wire::kNoDeadline, stop_fd);
    if (IsReadable(stop_fd)) break;
    if (!socket.ok()) return socket.error();
    Reap();
    TRY(Admit(std::move(socket).value()));
    if (options_.once || options_.one_at_a_time) WaitEither(clients_.back().ended.get(), stop_fd);
    if (options_.once) break;
  }
  return {};
}

}  // namespace soter
