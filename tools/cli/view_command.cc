#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/base/reader.h"
#include "common/graph/codec.h"
#include "common/graph/op_traits.h"
#include "owner/onnx/export.h"
#include "tools/cli/commands.h"
#include "tools/cli/files.h"
#include "tools/cli/model.h"
#include "tools/cli/npy.h"
#include "tools/cli/session.h"
#include "tools/cli/text.h"
#include "tools/cli/worker_choice.h"

namespace soter {

namespace {

namespace fs = std::filesystem;

struct ViewOptions {
  SchemeOptions scheme;
  std::string output;
};

// Tally is what the summary says of everything that was received.
struct Tally {
  size_t segments = 0, operators = 0, linear_operators = 0, weights = 0, runs = 0;
  uint64_t weight_bytes = 0, input_bytes = 0, output_bytes = 0;
  std::string segment_lines;
};

// Recording is a directory that a recording worker wrote (docs/spec/view.md).
class Recording {
 public:
  explicit Recording(fs::path directory) : directory_(std::move(directory)) {}

  // AddOnnx writes every recorded segment as ONNX beside its encoding, and counts what there is.
  Result<Tally> AddOnnx() {
    Tally tally;
    for (const fs::path& file : Sorted(directory_ / "weights")) {
      ++tally.weights;
      tally.weight_bytes += fs::file_size(file);
    }
    for (const fs::path& folder : Sorted(directory_ / "segments")) TRY(AddSegment(folder, tally));
    for (const fs::path& folder : Sorted(directory_ / "runs")) CountRun(folder, tally);
    return tally;
  }

 private:
  static std::vector<fs::path> Sorted(const fs::path& directory) {
    std::vector<fs::path> paths;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(directory, none)) paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  Status AddSegment(const fs::path& folder, Tally& tally) {
    Buffer encoded = TRY(ReadFile(folder / "graph.bin"));
    ValidatedGraph graph = TRY(DecodeGraph(encoded.bytes()));
    auto lookup = [&](WeightId id) -> std::shared_ptr<const Tensor> {
      Result<Tensor> weight = ReadNpyFile(directory_ / "weights" / (std::to_string(id) + ".npy"));
      return weight.ok() ? std::make_shared<const Tensor>(std::move(weight).value()) : nullptr;
    };
    TRY(ExportOnnx(graph.graph(), lookup, folder / "segment.onnx"));
    size_t linear = static_cast<size_t>(std::count_if(graph.graph().nodes.begin(), graph.graph().nodes.end(),
                                                      [](const Node& node) { return IsLinear(node.op); }));
    ++tally.segments;
    tally.operators += graph.graph().nodes.size();
    tally.linear_operators += linear;
    tally.segment_lines += "  segments/" + folder.filename().string() + "/segment.onnx";
    for (const Node& node : graph.graph().nodes) tally.segment_lines += std::string(" ") + OpName(node.op);
    tally.segment_lines += "\n";
    return {};
  }

  void CountRun(const fs::path& folder, Tally& tally) {
    ++tally.runs;
    for (const fs::path& file : Sorted(folder)) {
      bool input = file.filename().string().starts_with("input");
      (input ? tally.input_bytes : tally.output_bytes) += fs::file_size(file);
    }
  }

  fs::path directory_;
};

std::string Summary(const ViewOptions& options, const Tally& tally) {
  std::string text = "What the accelerator received from one run of " + options.scheme.model + " (scheme " +
                     options.scheme.scheme + ")\n\n";
  text += std::to_string(tally.weights) + " weight tensors (" + FormatBytes(tally.weight_bytes) + "), " +
          std::to_string(tally.segments) + " segments with " + std::to_string(tally.operators) + " operators, " +
          std::to_string(tally.linear_operators) + " of them linear\n";
  text += std::to_string(tally.runs) + (tally.runs == 1 ? " run of a segment: " : " runs of segments: ") +
          FormatBytes(tally.input_bytes) + " of inputs in, " + FormatBytes(tally.output_bytes) +
          " of results out\n\n";
  text += tally.segment_lines;
  text +=
      "\nweights/ID.npy             each weight, as it was uploaded\n"
      "segments/N/segment.onnx    each segment with its weights; opens in any ONNX viewer\n"
      "runs/K-segment-N/*.npy     what went in and came out, in order, in the layout that crossed\n";
  return text;
}

Status RecordRun(const ViewOptions& options, const fs::path& directory, Progress& progress) {
  ValidatedGraph model = TRY(LoadModel(options.scheme.model, nullptr, &progress));
  control::RunRequest request;
  InputOptions inputs = options.scheme.inputs;
  inputs.random = true;  // what is not given is random: any input shows what the accelerator sees
  request.inputs = TRY(ChooseInputs(model.graph(), inputs));
  TRY(CheckShapes(model, ShapesOf(request.inputs)));
  EnclaveOptions enclave_options = TRY(MakeEnclaveOptions(options.scheme));
  if (!enclave_options.needs_worker) {
    return InvalidArgument("--scheme " + options.scheme.scheme + ": the accelerator receives nothing at all");
  }
  enclave_options.record_directory = directory.string();
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave_options, &progress));
  TRY(SendPublicModel(options.scheme.policy, enclave_options.settings, *session, &progress));
  TRY(session->SendModel(model.graph()));
  TRY(session->Run(request));
  return {};
}

Status View(const ViewOptions& options) {
  Progress progress;
  std::error_code error;
  if (fs::exists(options.output, error) && !fs::is_empty(options.output, error)) {
    return InvalidArgument(options.output + ": is there already; give a directory that is not");
  }
  WorkerChoice choice = TRY(ChooseWorker(options.scheme.worker));
  if (!choice.address.empty()) return InvalidArgument("--worker: view starts a recording worker itself");
  fs::path partial = fs::path(options.output + ".partial-" + std::to_string(::getpid()));
  if (::access(fs::absolute(partial).parent_path().c_str(), W_OK | X_OK) != 0) {
    return InvalidArgument(options.output + ": its directory is missing or not writable");
  }
  Cleanup remove_partial([partial] {
    std::error_code ignored;
    fs::remove_all(partial, ignored);
  });
  TRY(RecordRun(options, partial, progress));
  Tally tally = TRY(Recording(partial).AddOnnx());
  std::string summary = Summary(options, tally);
  {
    OutputFiles files;
    TRY(files.WriteText(partial / "README.txt", summary));
    TRY(files.Commit());
  }
  fs::rename(partial, options.output, error);
  if (error) return InvalidArgument(options.output + ": " + error.message());
  progress.Clear();
  std::fputs(summary.c_str(), stdout);
  return {};
}

}  // namespace

void AddViewCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<ViewOptions>();
  CLI::App* command = app.add_subcommand("view", "Write down exactly what the accelerator receives in one run.");
  AddModelOption(*command, options->scheme.model);
  AddSchemeOptions(*command, options->scheme);
  AddInputOptions(*command, options->scheme.inputs);
  command->add_option("-o,--output", options->output, "the directory to make")->required();
  command->callback([options, &chosen] { chosen.run = [options] { return View(*options); }; });
}

}  // namespace soter
