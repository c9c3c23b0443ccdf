#include <cstdio>
#include <memory>
#include <set>

#include "tools/cli/commands.h"
#include "tools/cli/files.h"
#include "tools/cli/model.h"
#include "tools/cli/run_report.h"
#include "tools/cli/sealed_file.h"
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

Status RequireInputs(const RunOptions& options, const Graph& graph) {
  const InputOptions& inputs = options.scheme.inputs;
  if (!inputs.files.empty() || inputs.random || graph.inputs.empty()) return {};
  return InvalidArgument("give --input NAME=FILE.npy for each input, or --random; " + options.scheme.model +
                         " wants " + InputList(graph));
}

// Prepared is an enclave that has the model, and what to run there.
struct Prepared {
  std::unique_ptr<EnclaveSession> session;
  control::ModelReport model;
  control::RunRequest request;
};

// PlanWith has the enclave plan before it runs: with samples, or to find out early whether the inputs fit.
Status PlanWith(std::vector<Tensor> samples, Prepared& prepared) {
  control::PlanRequest request{.input_shapes = ShapesOf(prepared.request.inputs), .profile = false};
  request.samples = std::move(samples);
  TRY(prepared.session->Plan(request));
  return {};
}

Result<Prepared> PrepareOnnx(const RunOptions& options, const EnclaveOptions& enclave, Progress& progress) {
  Prepared prepared;
  ValidatedGraph model = TRY(LoadModel(options.scheme.model, nullptr, &progress));
  TRY(RequireInputs(options, model.graph()));
  prepared.request.inputs = TRY(ChooseInputs(model.graph(), options.scheme.inputs));
  TRY(CheckShapes(model, ShapesOf(prepared.request.inputs)));
  prepared.session = TRY(EnclaveSession::Start(enclave, &progress));
  TRY(SendPublicModel(options.scheme.policy, enclave.settings, *prepared.session, &progress));
  prepared.model = TRY(prepared.session->SendModel(model.graph()));
  std::vector<Tensor> samples = TRY(ChooseSamples(options.scheme.policy, model.graph()));
  if (!samples.empty()) TRY(PlanWith(std::move(samples), prepared));
  return prepared;
}

// Of a sealed model only the enclave knows the inputs.
Result<Prepared> PrepareSealed(const RunOptions& options, const EnclaveOptions& enclave, Progress& progress) {
  Prepared prepared;
  SealedFile file = TRY(SealedFile::Open(options.scheme.model, options.scheme.keys));
  prepared.session = TRY(EnclaveSession::Start(enclave, &progress));
  TRY(SendPublicModel(options.scheme.policy, enclave.settings, *prepared.session, &progress));
  prepared.model = TRY(file.SendTo(*prepared.session));
  Graph inputs = TRY(InputsOf(prepared.model));
  TRY(RequireInputs(options, inputs));
  prepared.request.inputs = TRY(ChooseInputs(inputs, options.scheme.inputs));
  TRY(PlanWith(TRY(ChooseSamples(options.scheme.policy, inputs)), prepared));
  return prepared;
}

Status Run(const RunOptions& options) {
  Progress progress;
  if (!options.output_directory.empty()) TRY(CheckOutputDirectory(options.output_directory));
  EnclaveOptions enclave = TRY(MakeEnclaveOptions(options.scheme));
  bool is_sealed = TRY(IsSealed(options.scheme.model, options.scheme.keys));
  Prepared prepared = TRY((is_sealed ? PrepareSealed : PrepareOnnx)(options, enclave, progress));
  prepared.request.repeat = options.repeat;
  RunSummary summary{.model = options.scheme.model, .tee = prepared.model.tee, .settings = enclave.settings};
  summary.report = TRY(prepared.session->Run(prepared.request));
  summary.attested = prepared.session->attested();
  prepared.session.reset();
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
  AddKeyOptions(*command, options->scheme.keys);
  AddSchemeOptions(*command, options->scheme);
  AddInputOptions(*command, options->scheme.inputs);
  command->add_option("--repeat", options->repeat, "how many times to run")->check(CLI::Range(1u, 1'000'000u));
  command->add_option("--output-dir", options->output_directory, "where each output goes as NAME.npy");
  command->add_flag("--json", options->scheme.json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Run(*options); }; });
}

}  // namespace soter
