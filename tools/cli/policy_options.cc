#include "tools/cli/policy_options.h"

#include <nlohmann/json.hpp>

#include "tools/cli/files.h"
#include "tools/cli/model.h"

namespace soter {

namespace {

using control::Scheme;

// The values of the nodes that a plan, as `soter plan --json` prints it, gives to the accelerator.
Result<std::vector<uint32_t>> ReadPlacement(const std::string& path) {
  Buffer file = TRY(ReadFile(path));
  std::string_view text(reinterpret_cast<const char*>(file.bytes().data()), file.size());
  nlohmann::json plan = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  auto wrong = InvalidArgument("--placement: " + path + " is no plan; give what soter plan --json prints for the same model");
  if (!plan.is_object() || !plan["nodes"].is_array()) return wrong;
  std::vector<uint32_t> values;
  for (const auto& node : plan["nodes"]) {
    bool fits = node.is_object() && node.contains("value") && node["value"].is_number_unsigned() &&
                node["value"].get<uint64_t>() < UINT32_MAX && node.contains("where") && node["where"].is_string();
    if (!fits) return wrong;
    if (node["where"] == "accelerator") values.push_back(node["value"].get<uint32_t>());
  }
  return values;
}

}  // namespace

void AddPolicyOptions(CLI::App& command, PolicyOptions& options, control::Settings& settings) {
  command.add_option("--objective", options.objective, "what operators are placed for: the scheme's own policy, or the "
                                                       "least latency within its rules")
      ->check(CLI::IsMember({"policy", "latency"}))->capture_default_str();
  command.add_option("--placement", options.placement,
                     "a plan as soter plan --json prints it: offload just that (soter: of its linear operators; aegisdnn)");
  command.add_option("--deadline-ms", settings.deadline_ms, "aegisdnn: protect as much as this latency allows")
      ->check(CLI::PositiveNumber);
  command.add_option("--sdc-rate", settings.sdc_rate,
                     "aegisdnn without a deadline: the fastest plan under which at most this share of faults, in a layer "
                     "drawn at random, changes the answer")
      ->check(CLI::Range(0.0, 1.0))->capture_default_str();
  command.add_option("--fault-rounds", settings.fault_rounds, "aegisdnn: faults injected in each layer at load, at most")
      ->check(CLI::Range(1u, 100'000u))->capture_default_str();
  command.add_option("--samples", options.samples.files,
                     "aegisdnn: NAME=FILE.npy, the inputs that faults are injected with [random ones]");
  command.add_option("--public", options.public_model, "ennclave: the public model, an ONNX file that begins as MODEL does");
  command.add_option("--private-layers", settings.private_layers,
                     "ennclave: linear operators that stay private at least [1, and whatever differs]")
      ->check(CLI::Range(1u, 1'000'000u));
}

Status ApplyPolicyOptions(const PolicyOptions& options, control::Settings& settings) {
  if (options.objective == "latency") settings.objective = control::Objective::kLatency;
  if (!options.placement.empty()) settings.placement = TRY(ReadPlacement(options.placement));
  if (settings.scheme == Scheme::kEnnclave && options.public_model.empty())
    return InvalidArgument("--scheme ennclave needs the public model: give --public PUBLIC.onnx");
  if (settings.scheme != Scheme::kEnnclave && !options.public_model.empty())
    return InvalidArgument("--public is for --scheme ennclave");
  if (settings.scheme != Scheme::kAegisdnn && !options.samples.files.empty())
    return InvalidArgument("--samples is for --scheme aegisdnn");
  return {};
}

bool NeedsWorkerToPlan(const control::Settings& settings) {
  bool measures = settings.scheme == Scheme::kAegisdnn && !settings.placement.has_value();
  bool has_worker = settings.scheme != Scheme::kMlcapsule;
  return has_worker && (measures || settings.objective == control::Objective::kLatency);
}

Status SendPublicModel(const PolicyOptions& options, const control::Settings& settings, EnclaveSession& session,
                       Progress* progress) {
  if (settings.scheme != Scheme::kEnnclave) return {};
  return session.SendPublicModel(TRY(LoadModel(options.public_model, nullptr, progress)).graph());
}

Result<std::vector<Tensor>> ChooseSamples(const PolicyOptions& options, const Graph& inputs) {
  if (options.samples.files.empty()) return std::vector<Tensor>();
  return ChooseInputs(inputs, options.samples);
}

}  // namespace soter
