#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "owner/seal_model.h"
#include "tools/cli/commands.h"
#include "tools/cli/named_files.h"
#include "tools/cli/text.h"

namespace soter {

namespace {

using Json = nlohmann::ordered_json;

struct InspectOptions {
  std::string file, signer;
  bool json = false;
};

std::string RecipientsText(const SealedModelInfo& info) {
  std::map<std::string, size_t> counts;
  for (const std::string& kind : info.recipient_kinds) ++counts[kind];
  std::string text;
  for (const auto& [kind, count] : counts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
  return TerminalSafe(text, Lines::kJoin);
}

std::string InfoText(const SealedModelInfo& info) {
  const char* verdict = info.is_verified ? "verified: the owner of the given key signed this very file"
                                         : "NOT verified: give --signer; what follows may be anybody's word";
  return std::string("signature   ") + verdict + "\n" + "signed by   " + MinisignKeyIdText(info.signer) + "\n" +
         "model       " + info.comment.name + " version " + std::to_string(info.comment.version) + "\n" +
         "digest      " + EncodeHex(info.comment.digest) + "\n" + "recipients  " + RecipientsText(info) + "\n" +
         "size        " + FormatBytes(info.ciphertext_bytes) + ", " + FormatBytes(info.plaintext_bytes) +
         " when opened\n";
}

std::string InfoJson(const SealedModelInfo& info) {
  Json json = {{"verified", info.is_verified},
               {"signer", MinisignKeyIdText(info.signer)},
               {"name", info.comment.name},
               {"version", info.comment.version},
               {"digest", EncodeHex(info.comment.digest)},
               {"recipient_kinds", info.recipient_kinds},
               {"ciphertext_bytes", info.ciphertext_bytes},
               {"plaintext_bytes", info.plaintext_bytes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status Inspect(const InspectOptions& options) {
  SealedModelInfo info = TRY(NamedByUser(InspectSealedModelFile(options.file, options.signer)));
  std::fputs((options.json ? InfoJson(info) : InfoText(info)).c_str(), stdout);
  return {};
}

}  // namespace

void AddInspectCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Tell what can be known of a sealed model without a key.");
  command->add_option("MODEL", options->file, "a sealed model")->required();
  command->add_option("--signer", options->signer, "a minisign public key: verifies the whole file");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Inspect(*options); }; });
}

}  // namespace soter
