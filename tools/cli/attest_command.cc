#include <cstdio>
#include <memory>

#include "common/base/hex.h"
#include "tools/cli/commands.h"
#include "trusted/attest/produce.h"
#include "trusted/tee/platform.h"

namespace soter {

namespace {

struct AttestOptions {
  std::string nonce, dev_key, new_dev_key;
};

// A device of this machine failed, no accelerator: where it is only absent, this machine cannot do what was asked.
Error AsMachineError(Error error, ErrorCode code) {
  if (error.code == ErrorCode::kUnavailable) error.code = code;
  return error;
}

Status Attest(const AttestOptions& options) {
  if (!options.new_dev_key.empty()) {
    Status made = InstallDevKey(options.new_dev_key);
    return made.ok() ? made : AsMachineError(made.error(), ErrorCode::kInvalidArgument);
  }
  Result<std::vector<std::byte>> nonce = DecodeHexAnyCase(options.nonce);
  if (!nonce.ok()) return InvalidArgument("--nonce: " + nonce.error().message);
  DeviceIo io;
  Result<std::unique_ptr<Platform>> platform = DetectPlatform(io, options.dev_key);
  if (!platform.ok()) {
    return AsMachineError(platform.error(),
                          options.dev_key.empty() ? ErrorCode::kUnsupported : ErrorCode::kInvalidArgument);
  }
  if ((*platform)->kind() == PlatformKind::kDev) {
    std::fprintf(stderr, "soter: WARNING: %s\n", (*platform)->Describe().c_str());
  }
  Result<std::string> evidence = AttestToJson(**platform, *nonce);
  if (!evidence.ok()) return AsMachineError(evidence.error(), ErrorCode::kExhausted);
  std::printf("%s\n", evidence->c_str());
  return {};
}

}  // namespace

void AddAttestCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<AttestOptions>();
  CLI::App* command = app.add_subcommand("attest", "Print evidence of the TEE that this command runs in.");
  CLI::Option* nonce =
      command->add_option("--nonce", options->nonce, "the verifier's own choice: 16 to 64 bytes, hexadecimal");
  CLI::Option* dev_key = command->add_option("--dev-key", options->dev_key,
                                             "attest as the development TEE, which protects nothing, with this key");
  CLI::Option* new_key =
      command->add_option("--new-dev-key", options->new_dev_key, "make such a key in a new file, and nothing else");
  new_key->excludes(nonce)->excludes(dev_key);
  command->callback([options, nonce, new_key, &chosen] {
    if (nonce->empty() && new_key->empty()) throw CLI::RequiredError("--nonce");
    chosen.run = [options] { return Attest(*options); };
  });
}

}  // namespace soter
