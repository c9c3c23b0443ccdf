#include <cstdio>
#include <memory>
#include <set>

#include "tools/cli/commands.h"
#include "tools/cli/files.h"
#include "tools/cli/model.h"
#include "tools/cli/run_report.h"
#include "tools/cli/session.h"

namespace soter {

namespace {

struct RunOptions {
  SchemeOptions scheme;
  uint32_t repeat = 1;
  std::string output_directory;
};

// StageOutputs writes every output under a temporary name; returns the names that Commit will give.
Result<std::vector<std::string>> StageOutputs(const control::RunReport& report, const std::string& directory,
                                              OutputFiles& files) {
  std::vector<std::string> names(report.outputs.size());
  if (directory.empty()) return names;
  std::set<std::string> taken;
  for (size_t i = 0; i < report.outputs.size(); ++i) {
    std::string name = FileNameFor(report.outputs[i].name);
    while (!taken.insert(name).second) name += "_";
    std::filesystem::path path = std::filesystem::path(directory) / (name + ".npy");
    TRY(files.WriteNpy(path, report.outputs[i].tensor.view()));
    names[i] = path.string();
  }
  return names;
}

Status Run(const RunOptions& options) {
  Progress progress;
  if (!options.output_directory.empty()) TRY(CheckOutputDirectory(options.output_directory));
  ValidatedGraph model = TRY(LoadModel(options.scheme.model, nullptr, &progress));
  if (options.scheme.inputs.files.empty() && !options.scheme.inputs.random && !model.graph().inputs.empty()) {
    return InvalidArgument("give --input NAME=FILE.npy for each input, or --random; " + options.scheme.model +
                           " wants " + InputList(model.graph()));
  }
  control::RunRequest request{.repeat = options.repeat};
  request.inputs = TRY(ChooseInputs(model.graph(), options.scheme.inputs));
  TRY(CheckShapes(model, ShapesOf(request.inputs)));
  EnclaveOptions session_options = MakeEnclaveOptions(options.scheme);
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(session_options, &progress));
  control::ModelReport described = TRY(session->SendModel(model.graph()));
  RunSummary summary{.model = options.scheme.model, .tee = described.tee, .settings = session_options.settings};
  summary.report = TRY(session->Run(request));
  session.reset();
  if (summary.report.repeats.empty()) return Exhausted("the enclave reported no run");
  OutputFiles files;
  summary.output_files = TRY(StageOutputs(summary.report, options.output_directory, files));
  TRY(files.Commit());
  progress.Clear();
  std::fputs((options.scheme.json ? RunAsJson(summary) : RunAsText(summary)).c_str(), stdout);
  return {};
}

}  // namespace

void AddRunCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Run one inference: outputs, what was checked, where the time went.");
  AddModelOption(*command, options->scheme.model);
  AddSchemeOptions(*command, options->scheme);
  AddInputOptions(*command, options->scheme.inputs);
  command->add_option("--repeat", options->repeat, "how many times to run")->check(CLI::Range(1u, 1'000'000u));
  command->add_option("--output-dir", options->output_directory, "where each output goes as NAME.npy");
  command->add_flag("--json", options->scheme.json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Run(*options); }; });
}

}  // namespace soter
