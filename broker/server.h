#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "broker/http_message.h"
#include "common/base/result.h"
#include "trusted/crypto/tls_context.h"

namespace soter {

struct ServerSettings {
  std::string host;   // an address, not a name
  uint16_t port = 0;  // 0: the system's choice
};

using HttpHandler = std::function<HttpResponse(const HttpRequest&)>;

// RunServer answers HTTPS requests until SIGTERM or SIGINT, then finishes what it has begun and returns. `on_ready` is
// called with the port once it listens. The handler is called from several threads.
// Limits: 4 threads, 256 connections, 100 requests on each; 5 s for a handshake, 10 s for a request to arrive whole and
// 10 s for its answer to be taken; 16 KiB of header, 256 KiB of body; 5 s to finish.
// Errors: kInvalidArgument (no such address, port taken, no permission).
Status RunServer(const ServerSettings& settings, TlsContext tls, const HttpHandler& handler,
                 const std::function<void(uint16_t)>& on_ready);

}  // namespace soter
