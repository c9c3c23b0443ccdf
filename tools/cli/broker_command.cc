#include <time.h>

#include <cstdio>
#include <memory>

#include "broker/audit_log.h"
#include "broker/messages.h"
#include "broker/released_resource.h"
#include "broker/server.h"
#include "broker/service.h"
#include "broker/state_directory.h"
#include "common/base/file.h"
#include "common/base/hex.h"
#include "common/wire/address.h"
#include "tools/cli/broker_model.h"
#include "tools/cli/commands.h"
#include "tools/cli/exit_code.h"
#include "tools/cli/named_files.h"
#include "tools/cli/text.h"
#include "trusted/crypto/certificate.h"
#include "trusted/crypto/process_protection.h"

namespace soter {
namespace {

constexpr size_t kMaxPemBytes = 64 * 1024;
constexpr char kDevNotice[] = "WARNING: a policy accepts development evidence, which comes from a plain process and protects "
                              "nothing";

struct BrokerOptions {
  std::string directory;
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  std::string certificate, key;               // init
  BrokerModelFiles files;                     // add
  std::string path;                           // add, resource
  bool replace = false;
  std::string listen = "127.0.0.1:8080";      // serve
  std::string kbs_version = "0.4.0";
  std::string device;                         // revoke
  bool verify = false, json = false;          // log, list
  std::string since;
};

int64_t Now() { return ::time(nullptr); }

void PrintFingerprint(const StateDirectory& state) {
  Result<std::string> pem = state.TlsCertificate();
  if (!pem.ok()) return;
  Result<std::vector<PemBlock>> blocks = ReadPem(*pem);
  if (!blocks.ok() || blocks->empty()) return;
  std::printf("certificate  %s\nfingerprint  sha256:%s\n", state.certificate_path().c_str(),
              EncodeHex(Digest<Sha256>(blocks->front().der)).c_str());
}

Status Init(const BrokerOptions& options) {
  StateDirectory state(options.directory);
  StateDirectory::Identity identity = {.names = options.names};
  if (options.certificate.empty() != options.key.empty())
    return InvalidArgument("--tls-cert and --tls-key go together");
  if (!options.certificate.empty()) {
    SecretBytes certificate = TRY(NamedByUser(ReadFile(options.certificate, kMaxPemBytes)));
    SecretBytes key = TRY(NamedByUser(ReadFile(options.key, kMaxPemBytes)));
    identity = {.certificate_pem = std::string(AsText(certificate.Expose())),
                .key_pem = std::string(AsText(key.Expose()))};
  }
  TRY(NamedByUser(state.Make(identity, Now())));
  std::printf("state        %s (secret: it will hold the keys of models)\n", options.directory.c_str());
  PrintFingerprint(state);
  std::printf("next         soter broker add %s --model FILE --identity KEY --signer PUB --policy P.toml\n",
              options.directory.c_str());
  return {};
}

Status Add(const BrokerOptions& options) {
  Store store = TRY(StateDirectory(options.directory).OpenStore());
  Resource resource = TRY(ReadBrokerModel(options.files));
  resource.path = options.path.empty() ? "models/" + resource.name + '/' + std::to_string(resource.version) : options.path;
  if (!IsResourcePath(resource.path))
    return InvalidArgument(resource.path + " is not REPO/TYPE/TAG of letters, digits, '.', '_' and '-'");
  ReleasePolicy policy = TRY(ParseReleasePolicy(resource.policy));
  TRY(store.Transact([&]() -> Status {
    bool is_there = TRY(store.FindResource(resource.path)).has_value();
    if (is_there && !options.replace)
      return InvalidArgument(resource.path + " is there already; --replace puts this in its place");
    TRY(store.PutResource(resource));
    return store.Log({{"event", is_there ? "replace" : "add"}, {"resource", resource.path}, {"digest", resource.digest},
                      {"policy", policy.digest}},
                     Now());
  }));
  std::printf("kbs:///%s: %s version %llu, at least scheme %s and check %s\n", resource.path.c_str(),
              resource.name.c_str(), static_cast<unsigned long long>(resource.version), resource.min_scheme.c_str(),
              resource.min_check.c_str());
  if (policy.AcceptsDev()) std::fprintf(stderr, "soter: %s\n", kDevNotice);
  return {};
}

int ServeOrFail(Status status) {
  if (status.ok()) return static_cast<int>(ExitCode::kDone);
  std::fprintf(stderr, "soter: %s\n", TerminalSafe(status.error().message, Lines::kJoin).c_str());
  return static_cast<int>(ExitCodeFor(status.error().code));
}

// One write for each line, so that lines of several threads do not mix.
void ReportLine(const std::string& line) {
  std::fputs(("soter broker: " + TerminalSafe(line, Lines::kJoin) + "\n").c_str(), stderr);
}

Status Serve(const BrokerOptions& options) {
  wire::Address address = TRY(wire::ParseAddress(options.listen));
  if (address.kind != wire::Address::Kind::kTcp) return InvalidArgument("--listen takes HOST:PORT or [v6]:PORT");
  TRY(ForbidInspection());  // it holds the keys of models
  StateDirectory state(options.directory);
  Store store = TRY(state.OpenStore());
  EcPrivateKey token_key = TRY(NamedByUser(state.TokenKey()));
  std::string certificate = TRY(NamedByUser(state.TlsCertificate()));
  SecretBytes key = TRY(NamedByUser(state.TlsKeyText()));
  TlsContext tls = TRY(NewTlsServerContext(certificate, AsText(key.Expose())));
  Service service(std::move(store), std::move(token_key),
                  {.kbs_version = options.kbs_version,
                   .collateral_directory = state.collateral_path(),
                   .now_s = Now,
                   .report = ReportLine});
  if (TRY(service.AcceptsDev())) ReportLine(kDevNotice);
  auto handle = [&service](const HttpRequest& request) { return service.Handle(request); };
  auto ready = [&](uint16_t port) {
    wire::Address bound = address;
    bound.port = port;
    ReportLine("listening on https://" + wire::AddressString(bound) + ", protocol version " + options.kbs_version);
  };
  TRY(RunServer({address.host, address.port}, std::move(tls), handle, ready));
  ReportLine("stopped");
  return {};
}

Status Revoke(const BrokerOptions& options) {
  const std::string& device = options.device;
  size_t colon = device.find(':');
  bool is_known = device.starts_with("snp:") || device.starts_with("intel:") || device.starts_with("dev:") ||
                  device.starts_with(kVlekDevice);
  if (!is_known || !DecodeHex(std::string_view(device).substr(colon + 1)).ok() || device.size() == colon + 1)
    return InvalidArgument("a device is snp:, intel: or dev: and its id in lower-case hexadecimal, as the log has it");
  Store store = TRY(StateDirectory(options.directory).OpenStore());
  TRY(store.Transact([&]() -> Status {
    TRY(store.Revoke(device, Now()));
    return store.Log({{"event", "revoke"}, {"device", device}}, Now());
  }));
  std::printf("revoked %s: it gets no key from now on; what it has it keeps\n", device.c_str());
  return {};
}

struct Listing {
  Resource resource;
  ReleasePolicy policy;
  uint64_t activations;
};

void PrintListing(const Listing& row) {
  std::string limit = row.policy.activations ? " of " + std::to_string(*row.policy.activations) : "";
  std::printf("kbs:///%s\n  model        %s version %llu, sha256 %s\n  protection   at least %s, %s\n  activations  %llu%s\n",
              row.resource.path.c_str(), row.resource.name.c_str(), static_cast<unsigned long long>(row.resource.version),
              row.resource.digest.c_str(), row.resource.min_scheme.c_str(), row.resource.min_check.c_str(),
              static_cast<unsigned long long>(row.activations), limit.c_str());
  if (row.policy.AcceptsDev()) std::printf("  %s\n", kDevNotice);
}

Json ListingJson(const Listing& row) {
  Json json = {{"path", row.resource.path},       {"name", row.resource.name},
               {"version", row.resource.version}, {"digest", row.resource.digest},
               {"min_scheme", row.resource.min_scheme}, {"min_check", row.resource.min_check},
               {"policy", row.policy.digest},     {"activations", row.activations},
               {"accepts_dev", row.policy.AcceptsDev()}};
  json["max_activations"] = row.policy.activations ? Json(*row.policy.activations) : Json();
  return json;
}

Status List(const BrokerOptions& options) {
  Store store = TRY(StateDirectory(options.directory).OpenStore());
  std::vector<Listing> rows;
  std::vector<std::string> revoked;
  TRY(store.Transact([&]() -> Status {
    for (Resource& resource : TRY(store.Resources())) {
      ReleasePolicy policy = TRY(ParseReleasePolicy(resource.policy));
      uint64_t count = TRY(store.CountActivations(resource.path, ""));
      rows.push_back({std::move(resource), std::move(policy), count});
    }
    revoked = TRY(store.RevokedDevices());
    return {};
  }));
  if (options.json) {
    Json json = {{"resources", Json::array()}, {"revoked", revoked}};
    for (const Listing& row : rows) json["resources"].push_back(ListingJson(row));
    std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    return {};
  }
  for (const Listing& row : rows) PrintListing(row);
  for (const std::string& device : revoked) std::printf("revoked %s\n", device.c_str());
  return {};
}

// An entry as a line for people: when, what, and the rest.
std::string LogLine(const std::string& entry) {
  Result<Json> json = ParseJson(entry);
  if (!json.ok() || !json->is_object()) return "(not an entry) " + entry;
  std::string line;
  for (const char* name : {"time", "event", "outcome"})
    if (json->contains(name) && (*json)[name].is_string()) line += (*json)[name].get<std::string>() + "  ";
  for (const auto& [name, value] : json->items())
    if (name != "time" && name != "event" && name != "outcome" && name != "previous" && value != "")
      line += name + '=' + (value.is_string() ? value.get<std::string>() : DumpJson(value)) + ' ';
  return TerminalSafe(line, Lines::kJoin);
}

Status Log(const BrokerOptions& options) {
  Store store = TRY(StateDirectory(options.directory).OpenStore());
  LogVerifier verifier;
  bool was_seen = options.since.empty();
  TRY(store.ReadLog([&](const std::string& entry) -> Status {
    if (!options.verify) std::printf("%s\n", options.json ? entry.c_str() : LogLine(entry).c_str());
    if (!options.verify) return {};
    Status added = verifier.Add(entry);
    if (!added.ok()) return AuthError(added.error().message);
    was_seen |= verifier.head() == options.since;
    return {};
  }));
  if (!options.verify) return {};
  if (!was_seen)
    return AuthError("the audit log does not hold the entry of digest " + options.since + ": its end was cut off, or it "
                     "is another log");
  std::printf("intact: %lld entries, the last of digest %s\nNote the digest elsewhere: only with it, as --since, is a log "
              "noticed whose end was cut off.\n",
              static_cast<long long>(verifier.count()), verifier.head().c_str());
  return {};
}

Status PrintResource(const BrokerOptions& options) {
  Store store = TRY(StateDirectory(options.directory).OpenStore());
  std::optional<Resource> resource;
  TRY(store.Transact([&]() -> Status {
    resource = TRY(store.FindResource(options.path));
    if (!resource) return InvalidArgument(options.path + ": no such resource; soter broker list names them");
    return store.Log({{"event", "export"}, {"resource", options.path}}, Now());
  }));
  ReleasePolicy policy = TRY(ParseReleasePolicy(resource->policy));
  std::printf("%s\n", EncodeReleasedResource(*resource, policy, Now()).c_str());
  return {};
}

using Work = Status (*)(const BrokerOptions&);

CLI::App* AddVerb(CLI::App& broker, const char* name, const char* help, const std::shared_ptr<BrokerOptions>& options,
                  Command& chosen, Work work) {
  CLI::App* verb = broker.add_subcommand(name, help);
  verb->add_option("DIR", options->directory, "the broker's state directory")->required();
  verb->callback([options, &chosen, work] { chosen.run = [options, work] { return NamedByUser(work(*options)); }; });
  return verb;
}

void AddVerbs(CLI::App& broker, const std::shared_ptr<BrokerOptions>& options, Command& chosen) {
  CLI::App* init = AddVerb(broker, "init", "Make a state directory: keys, certificate, database.", options, chosen, Init);
  init->add_option("--name", options->names, "under which clients connect; may be given again [localhost and its addresses]");
  init->add_option("--tls-cert", options->certificate, "a certificate chain in PEM, in place of one of its own");
  init->add_option("--tls-key", options->key, "its private key");
  CLI::App* add = AddVerb(broker, "add", "Offer the key of a sealed model to enclaves of a policy.", options, chosen, Add);
  add->add_option("--model", options->files.model, "the sealed model; it is verified, and not kept")->required();
  add->add_option("--identity", options->files.identity, "the age identity that opens it")->required();
  add->add_option("--signer", options->files.signer, "the minisign public key of who signed it")->required();
  add->add_option("--policy", options->files.policy, "who gets the key (docs/spec/key-release.md, 6.1)")->required();
  add->add_option("--path", options->path, "REPO/TYPE/TAG [models/NAME/VERSION]");
  add->add_flag("--replace", options->replace, "in place of what is there; activations stay counted");
  CLI::App* revoke = AddVerb(broker, "revoke", "Give a device no key any more.", options, chosen, Revoke);
  revoke->add_option("--device", options->device, "snp:ID, intel:ID or dev:ID, as the log has it")->required();
  CLI::App* list = AddVerb(broker, "list", "What is offered, how often it was released, who is revoked.", options, chosen, List);
  list->add_flag("--json", options->json, "print one JSON object");
  CLI::App* log = AddVerb(broker, "log", "Print the audit log, or verify it.", options, chosen, Log);
  log->add_flag("--json", options->json, "print the entries as they are, one a line");
  CLI::Option* verify = log->add_flag("--verify", options->verify, "follow the chain of digests instead");
  log->add_option("--since", options->since, "the digest of an entry that must be there")->needs(verify);
  CLI::App* resource = AddVerb(broker, "resource", "Print a resource, secret and all, for an existing Trustee.", options,
                               chosen, PrintResource);
  resource->add_option("PATH", options->path, "REPO/TYPE/TAG")->required();
}

}  // namespace

void AddBrokerCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<BrokerOptions>();
  CLI::App* broker = app.add_subcommand("broker", "Release the keys of sealed models to attested enclaves.");
  broker->require_subcommand(1);
  AddVerbs(*broker, options, chosen);
  CLI::App* serve = broker->add_subcommand("serve", "Answer enclaves over HTTPS, until SIGTERM.");
  serve->add_option("DIR", options->directory, "the broker's state directory")->required();
  serve->add_option("--listen", options->listen, "HOST:PORT or [v6]:PORT, 0 for any port")->capture_default_str();
  serve->add_option("--kbs-version", options->kbs_version, "of the protocol, matched exactly")->capture_default_str();
  serve->callback([options, &chosen] { chosen.serve = [options] { return ServeOrFail(NamedByUser(Serve(*options))); }; });
}

}  // namespace soter
