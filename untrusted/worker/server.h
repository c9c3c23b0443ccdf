#pragma once

#include <list>
#include <memory>
#include <thread>

#include "untrusted/worker/session.h"

namespace soter {

struct ServerOptions {
  SessionOptions session;
  bool once = false;             // end with the first client
  bool one_at_a_time = false;    // a client waits until the one before has left
};

// Server serves clients, each in a thread of its own, until it is stopped.
class Server {
 public:
  Server(const wire::Listener& listener, BackendFactory factory, ServerOptions options)
      : listener_(listener), factory_(std::move(factory)), options_(std::move(options)) {}
  Server(const Server&) = delete;
  ~Server();

  // Serve returns when `stop_fd` becomes readable, or, with `once`, when the first client has left.
  // A client that breaks the protocol is named on stderr and loses its connection; it ends nobody else's.
  // Errors: kUnavailable (no more connections can be accepted).
  Status Serve(int stop_fd);

 private:
  struct Client {
    std::shared_ptr<wire::Connection> connection;
    UniqueFd ended;  // becomes readable when the session is over
    std::thread thread;
  };

  Status Admit(UniqueFd socket);
  void Reap();

  const wire::Listener& listener_;
  BackendFactory factory_;
  ServerOptions options_;
  std::list<Client> clients_;
};

}  // namespace soter
