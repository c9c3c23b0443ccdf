#include <cstdio>
#include <memory>

#include "owner/seal_model.h"
#include "tools/cli/commands.h"
#include "tools/cli/named_files.h"

namespace soter {

namespace {

Status Reseal(const ResealFileRequest& request) {
  TRY(NamedByUser(ResealModelFile(request)));
  std::printf("%s and %s: the same model, for %zu recipient%s\n", request.output_path.c_str(),
              SignaturePath(request.output_path).c_str(), request.recipients.size(),
              request.recipients.size() == 1 ? "" : "s");
  return {};
}

}  // namespace

void AddResealCommand(CLI::App& app, Command& chosen) {
  auto request = std::make_shared<ResealFileRequest>();
  CLI::App* command = app.add_subcommand("reseal", "Seal a sealed model for other recipients, or with another key.");
  command->add_option("MODEL", request->open.path, "a sealed model")->required();
  command->add_option("-o,--output", request->output_path, "the new sealed model; may be MODEL")->required();
  command->add_option("--identity", request->open.identity_path, "an age identity file that opens MODEL")->required();
  command->add_option("--signer", request->open.signer_path, "the minisign public key that MODEL is signed with")
      ->required();
  command->add_option("--recipient", request->recipients, "age1..., who may open it; may be given again")->required();
  command->add_option("--sign", request->signing_key_path, "a minisign secret key without a password")->required();
  command->callback([request, &chosen] { chosen.run = [request] { return Reseal(*request); }; });
}

}  // namespace soter
