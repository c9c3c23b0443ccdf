#include <cstdio>
#include <memory>

#include "common/base/hex.h"
#include "common/wire/control_codec.h"
#include "tools/cli/commands.h"
#include "tools/cli/model.h"
#include "tools/cli/sealed_file.h"
#include "tools/cli/session.h"
#include "trusted/tee/dev_report.h"
#include "trusted/tee/platform.h"

namespace soter {

namespace {

struct AttestOptions {
  SchemeOptions scheme;
  std::string nonce, new_dev_key;
};

Result<std::vector<std::byte>> ParseNonce(const std::string& text) {
  Result<std::vector<std::byte>> nonce = DecodeHexAnyCase(text);
  if (!nonce.ok()) return InvalidArgument("--nonce: " + nonce.error().message);
  if (nonce->size() < control::kMinNonceBytes || nonce->size() > control::kMaxNonceBytes)
    return InvalidArgument("a nonce is 16 to 64 bytes: fewer could be guessed or repeat");
  return nonce;
}

// An enclave that is started here is in the TEE that we are in; without one, evidence must be asked for as such.
Status RequirePlatform(const std::string& dev_key) {
  DeviceIo io;
  Result<std::unique_ptr<Platform>> platform = DetectPlatform(io, dev_key);
  if (platform.ok()) {
    if ((*platform)->kind() == PlatformKind::kDev) std::fprintf(stderr, "soter: WARNING: %s\n", kDevWarning);
    return {};
  }
  Error error = platform.error();
  if (error.code == ErrorCode::kUnavailable)
    error.code = dev_key.empty() ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument;
  return error;
}

// The enclave, with the model where there is one: then its evidence says under which scheme and check it runs which.
Result<std::unique_ptr<EnclaveSession>> Prepare(const AttestOptions& options, Progress& progress) {
  EnclaveOptions enclave = TRY(MakeEnclaveOptions(options.scheme));
  enclave.needs_worker = false;
  enclave.settings.digest_model = true;
  const SchemeOptions& scheme = options.scheme;
  if (scheme.model.empty()) return EnclaveSession::StartForEvidence(enclave, &progress);
  if (TRY(IsSealed(scheme.model, scheme.keys))) {
    SealedFile file = TRY(SealedFile::Open(scheme.model, scheme.keys));
    std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
    TRY(file.SendTo(*session));
    return session;
  }
  ValidatedGraph model = TRY(LoadModel(scheme.model, nullptr, &progress));
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  TRY(session->SendModel(model.graph()));
  return session;
}

Status Attest(const AttestOptions& options) {
  if (!options.new_dev_key.empty()) {
    Status made = InstallDevKey(options.new_dev_key);
    return made.ok() ? made : InvalidArgument(made.error().message);
  }
  std::vector<std::byte> nonce = TRY(ParseNonce(options.nonce));
  if (options.scheme.enclave.empty()) TRY(RequirePlatform(options.scheme.dev_key));
  Progress progress;
  std::unique_ptr<EnclaveSession> session = TRY(Prepare(options, progress));
  std::vector<std::byte> evidence = TRY(session->Evidence(nonce));
  progress.Clear();
  std::printf("%s\n", std::string(AsText(evidence)).c_str());
  return {};
}

}  // namespace

void AddAttestCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<AttestOptions>();
  CLI::App* command = app.add_subcommand("attest", "Print evidence of a soter-enclave: what it is, and what it runs.");
  command->add_option("MODEL", options->scheme.model,
                      "a model that the enclave loads first, so that its evidence names it, the scheme and the check");
  CLI::Option* nonce =
      command->add_option("--nonce", options->nonce, "the verifier's own choice: 16 to 64 bytes, hexadecimal");
  CLI::Option* new_key =
      command->add_option("--new-dev-key", options->new_dev_key, "make a key for --dev-key in a new file, and nothing else");
  AddKeyOptions(*command, options->scheme.keys);
  AddSchemeOptions(*command, options->scheme);
  new_key->excludes(nonce)->excludes(command->get_option("--dev-key"));
  command->callback([options, nonce, new_key, &chosen] {
    if (nonce->empty() && new_key->empty()) throw CLI::RequiredError("--nonce");
    chosen.run = [options] { return Attest(*options); };
  });
}

}  // namespace soter
