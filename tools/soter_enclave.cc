// soter-enclave: the trusted process. It finds out which TEE it runs in, connects to the `soter` that wants it, opens
// the model it is sent, plans, masks, runs and checks. It starts no other process.

#include <malloc.h>
#include <time.h>

#include <cstdio>
#include <cstring>
#include <string>

#include "common/base/protected_pages.h"
#include "common/compute/tuning_cache.h"
#include "common/wire/connection.h"
#include "common/wire/control.h"
#include "trusted/attest/ra_tls_make.h"
#include "trusted/crypto/process_protection.h"
#include "trusted/crypto/tls_channel.h"
#include "trusted/engine/operator_service.h"
#include "trusted/release/brokered_keys.h"
#include "trusted/tee/platform.h"

namespace {

constexpr const char* kUsage =
    "usage: soter-enclave --connect ADDRESS [--dev-key FILE]\n"
    "Started by `soter`, or by whatever starts a TEE. ADDRESS is where `soter` listens: unix:PATH, or HOST:PORT, and\n"
    "then all that passes is RA-TLS, with a certificate that proves which enclave this is.\n"
    "It runs as what it finds itself in: SGX under Gramine, a TDX or SEV-SNP guest, or else the development TEE, a\n"
    "plain process that protects nothing from this machine's owner. --dev-key: sign the evidence of the development\n"
    "TEE with this key (soter attest --new-dev-key) and not with one that this process makes up.\n";

struct Options {
  const char* address = nullptr;
  const char* dev_key = "";
};

// False for anything but --connect once and --dev-key at most once, each with a value.
bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--connect") == 0 && options.address == nullptr) {
      options.address = argv[i + 1];
    } else if (std::strcmp(argv[i], "--dev-key") == 0 && *options.dev_key == '\0') {
      options.dev_key = argv[i + 1];
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && options.address != nullptr;
}

using namespace soter;

constexpr auto kConnectTimeout = std::chrono::seconds(10);
constexpr int64_t kCertificateLifetime_s = 24 * 3600, kClockSkew_s = 600;

// Over TCP anybody may sit in between: the enclave shows a certificate that only it can have, whatever side called.
Status ServeOverTls(UniqueFd socket, Platform& platform, wire::Deadline deadline) {
  int64_t from_s = ::time(nullptr) - kClockSkew_s;
  RaTlsIdentity identity = TRY(MakeRaTls(platform, {}, from_s, kCertificateLifetime_s + kClockSkew_s));
  KeyHash link_key = KeyHash::Of(identity.key.PublicKeyDer());
  std::unique_ptr<TlsChannel> channel =
      TRY(TlsChannel::Present(std::move(socket), identity.key, identity.certificate, deadline));
  wire::Connection connection(std::move(channel), control::kFrameMagic);
  ShutDownBeforeWipe(connection.fd());
  BrokeredKeys keys;
  return ServeOperator(connection, {platform, std::move(link_key), &keys});
}

Status Serve(const Options& options) {
  wire::Address address = TRY(wire::ParseAddress(options.address));
  DeviceIo io;
  std::unique_ptr<Platform> platform = TRY(DetectEnclavePlatform(io, options.dev_key));
  wire::Deadline deadline = std::chrono::steady_clock::now() + kConnectTimeout;
  UniqueFd socket = TRY(wire::Connect(address, deadline));
  if (address.kind == wire::Address::Kind::kTcp) return ServeOverTls(std::move(socket), *platform, deadline);
  wire::Connection connection(std::move(socket), control::kFrameMagic);
  ShutDownBeforeWipe(connection.fd());
  BrokeredKeys keys;
  return ServeOperator(connection, {*platform, std::nullopt, &keys});
}

}  // namespace

int main(int argc, char** argv) {
  bool help = argc == 2 && std::strcmp(argv[1], "--help") == 0;
  Options options;
  if (help || !ParseOptions(argc, argv, options)) {
    std::fputs(kUsage, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  // Every packed tensor goes back to the system when it is released, whatever was allocated after it.
  mallopt(M_MMAP_THRESHOLD, 1 << 16);
  if (auto file = compute::TuningFile()) compute::TuningCache::OfProcess().Attach(*file);
  Status served = ProtectProcess();
  if (served.ok()) served = Serve(options);
  WipeProtectedPages();
  if (served.ok()) return 0;
  // Whoever is connected was told too; what went wrong before stands here alone.
  std::fprintf(stderr, "soter-enclave: %s\n", served.error().message.c_str());
  return 1;
}
