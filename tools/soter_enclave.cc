// soter-enclave: the trusted process. It connects to the `soter` that wants it, opens the model it is sent, plans,
// masks, runs and checks. It starts no other process.

#include <malloc.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "common/wire/connection.h"
#include "common/wire/control.h"
#include "trusted/engine/operator_service.h"

namespace {

constexpr const char* kUsage =
    "usage: soter-enclave --connect ADDRESS\n"
    "Started by `soter`. ADDRESS is unix:PATH or HOST:PORT, where `soter` listens.\n"
    "This build runs as the development TEE: a plain process that protects nothing from this machine's owner.\n";

soter::Status Serve(const char* address_text) {
  using namespace soter;
  wire::Address address = TRY(wire::ParseAddress(address_text));
  UniqueFd socket = TRY(wire::Connect(address, std::chrono::steady_clock::now() + std::chrono::seconds(10)));
  wire::Connection connection(std::move(socket), control::kFrameMagic);
  return ServeOperator(connection, "dev");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--connect") != 0) {
    std::fputs(kUsage, argc == 2 && std::strcmp(argv[1], "--help") == 0 ? stdout : stderr);
    return argc == 2 && std::strcmp(argv[1], "--help") == 0 ? 0 : 2;
  }
  // Every packed tensor goes back to the system when it is released, whatever was allocated after it.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  // The reason was sent to `soter`, which tells the user; this process only says that it failed.
  return Serve(argv[2]).ok() ? 0 : 1;
}
