#include <cstdio>
#include <memory>

#include "owner/seal_model.h"
#include "tools/cli/commands.h"
#include "tools/cli/named_files.h"

namespace soter {

namespace {

struct KeygenOptions {
  std::string identity, signing_key;
};

Status Keygen(const KeygenOptions& options) {
  if (options.identity.empty() && options.signing_key.empty()) {
    return InvalidArgument("give --identity FILE for a key that opens models, --signing-key FILE for one that signs, "
                           "or both");
  }
  if (!options.identity.empty()) {
    std::string recipient = TRY(NamedByUser(MakeIdentityFile(options.identity)));
    std::printf("identity     %s (secret)\nrecipient    %s\n", options.identity.c_str(), recipient.c_str());
  }
  if (!options.signing_key.empty()) {
    std::string public_path = options.signing_key + ".pub";
    std::string id = TRY(NamedByUser(MakeSigningKeyFiles(options.signing_key, public_path)));
    std::printf("signing key  %s (secret), id %s\nsigner       %s\n", options.signing_key.c_str(), id.c_str(),
                public_path.c_str());
  }
  return {};
}

}  // namespace

void AddKeygenCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<KeygenOptions>();
  CLI::App* command = app.add_subcommand("keygen", "Make the keys that open and that sign sealed models.");
  command->add_option("--identity", options->identity, "a new age identity file: opens models");
  command->add_option("--signing-key", options->signing_key, "a new minisign key: signs models; FILE.pub verifies");
  command->callback([options, &chosen] { chosen.run = [options] { return Keygen(*options); }; });
}

}  // namespace soter
