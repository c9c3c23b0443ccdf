#include <cstdio>
#include <filesystem>
#include <memory>

#include "common/graph/codec.h"
#include "owner/seal_model.h"
#include "tools/cli/accelerator_options.h"
#include "tools/cli/commands.h"
#include "tools/cli/model.h"
#include "tools/cli/named_files.h"

namespace soter {

namespace {

struct SealOptions {
  std::string model;
  std::string min_scheme = "soter", min_check = "fingerprint";
  std::vector<std::string> precisions = {"fp32"};
  SealFileRequest request;
};

// In a policy, fp64 is what fp32 is: no less exact.
uint32_t PolicyPrecisions(const std::vector<std::string>& names) {
  uint32_t set = 0;
  for (const std::string& name : names) {
    switch (PrecisionFromName(name)) {
      case wire::Arithmetic::kTf32: set |= static_cast<uint32_t>(Precision::kTf32); break;
      case wire::Arithmetic::kFloat16: set |= static_cast<uint32_t>(Precision::kFloat16); break;
      default: set |= static_cast<uint32_t>(Precision::kFloat32); break;
    }
  }
  return set;
}

Status Seal(const SealOptions& options) {
  SealFileRequest request = options.request;
  request.policy.min_scheme = SchemeFromName(options.min_scheme);
  request.policy.min_check = CheckFromName(options.min_check);
  request.policy.precisions = PolicyPrecisions(options.precisions);
  if (request.policy.name.empty()) request.policy.name = std::filesystem::path(options.model).stem().string();
  if (!IsModelName(request.policy.name)) {
    return InvalidArgument("\"" + request.policy.name + "\" cannot be a sealed model's name; give --name with letters, "
                           "digits, '.', '_' or '-', the first a letter or a digit");
  }
  Progress progress;
  ValidatedGraph model = TRY(LoadModel(options.model, nullptr, &progress));
  progress.Show("sealing " + request.output_path, 0);
  TRY(NamedByUser(SealModelFile(request, [&model](const ByteSink& sink) { return EncodeGraph(model.graph(), sink); })));
  progress.Clear();
  std::printf("%s and %s: %s version %llu, at least scheme %s and check %s, for %zu recipient%s\n",
              request.output_path.c_str(), SignaturePath(request.output_path).c_str(), request.policy.name.c_str(),
              static_cast<unsigned long long>(request.policy.version), options.min_scheme.c_str(),
              options.min_check.c_str(), request.recipients.size(), request.recipients.size() == 1 ? "" : "s");
  return {};
}

}  // namespace

void AddSealCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<SealOptions>();
  SealFileRequest& request = options->request;
  CLI::App* command = app.add_subcommand("seal", "Encrypt and sign a model, with what it demands of those who run it.");
  AddModelOption(*command, options->model);
  command->add_option("-o,--output", request.output_path, "the sealed model; its signature is FILE.minisig")->required();
  command->add_option("--recipient", request.recipients, "age1..., who may open it; may be given again")->required();
  command->add_option("--sign", request.signing_key_path, "a minisign secret key without a password")->required();
  command->add_option("--name", request.policy.name, "of the model [the file's]");
  command->add_option("--version", request.policy.version, "of the model")->capture_default_str();
  AddSchemeOption(*command, "--min-scheme", options->min_scheme, "the weakest scheme it may be run under")
      ->capture_default_str();
  AddCheckOption(*command, "--min-check", options->min_check, "the weakest check it may be run under")
      ->capture_default_str();
  command->add_option("--min-theta", request.policy.min_theta, "the least share that may be offloaded")
      ->check(Fraction())
      ->capture_default_str();
  command->add_option("--max-theta", request.policy.max_theta, "the greatest share that may be offloaded")
      ->check(Fraction())
      ->capture_default_str();
  command->add_option("--precision", options->precisions, "the arithmetics that are allowed, with commas [fp32]")
      ->delimiter(',')
      ->check(PrecisionOption());
  command->callback([options, &chosen] { chosen.run = [options] { return Seal(*options); }; });
}

}  // namespace soter
