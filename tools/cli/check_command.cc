#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/graph/op_traits.h"
#include "tools/cli/commands.h"
#include "tools/cli/model.h"
#include "tools/cli/model_cost.h"
#include "tools/cli/sealed_file.h"
#include "tools/cli/text.h"

namespace soter {

namespace {

using Json = nlohmann::ordered_json;

struct CheckOptions {
  std::string model;
  KeyOptions keys;
  SchemeOptions where;  // of a sealed model: which enclave; the rest of them is not asked for
  InputOptions inputs;
  bool json = false;
};

// Verdict is what is known of a model: its cost where it can run, else what stands in the way.
struct Verdict {
  ImportReport import;
  std::string inputs;
  ModelCost cost;
  std::optional<Error> error;
};

Result<ModelCost> Examine(const CheckOptions& options, Verdict& verdict) {
  Progress progress;
  ValidatedGraph model = TRY(LoadModel(options.model, &verdict.import, &progress));
  verdict.inputs = InputList(model.graph());
  std::vector<Shape> shapes = TRY(ChooseShapes(model.graph(), options.inputs));
  StaticGraph graph = TRY(Bind(model, shapes));
  return CostOf(graph);
}

// A sealed model is examined where it will run. Under mlcapsule nothing leaves the enclave, so every policy allows it.
Result<ModelCost> ExamineSealed(const CheckOptions& options, Verdict& verdict) {
  Progress progress;
  SealedFile file = TRY(SealedFile::Open(options.model, options.keys));
  EnclaveOptions enclave{.enclave = options.where.enclave};
  enclave.enclave_policy = options.where.enclave_policy;
  enclave.enclave_collateral = options.where.enclave_collateral;
  enclave.dev_key = options.where.dev_key;
  enclave.needs_worker = false;
  enclave.settings.scheme = control::Scheme::kMlcapsule;
  enclave.settings.check = control::Check::kNone;
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  Graph graph = TRY(InputsOf(TRY(file.SendTo(*session))));
  verdict.inputs = InputList(graph);
  std::vector<Shape> shapes = TRY(ChooseShapes(graph, options.inputs));
  control::PlanReport plan = TRY(session->Plan({.input_shapes = shapes, .profile = false}));
  ModelCost cost;
  cost.nodes = plan.nodes.size();
  cost.linear_nodes = plan.linear_total;
  cost.mul_adds = plan.mul_adds_total;
  for (const control::NodePlan& node : plan.nodes) cost.linear_mul_adds += node.linear ? node.mul_adds : 0;
  cost.weight_bytes = plan.enclave_weight_bytes;
  return cost;
}

double LinearShare(const ModelCost& cost) {
  return cost.mul_adds > 0 ? static_cast<double>(cost.linear_mul_adds) / static_cast<double>(cost.mul_adds) : 0;
}

std::string VerdictText(const std::string& model, const Verdict& verdict) {
  std::string text;
  for (const UnsupportedNode& node : verdict.import.unsupported) {
    text += TerminalSafe("unsupported  " + node.node + ": " + node.reason, Lines::kJoin) + "\n";
  }
  for (const std::string& note : verdict.import.notes)
    text += TerminalSafe("note         " + note, Lines::kJoin) + "\n";
  if (verdict.error.has_value()) return text;
  const ModelCost& cost = verdict.cost;
  text += "inputs       " + verdict.inputs + "\n";
  text += "operators    " + std::to_string(cost.nodes) + ", " + std::to_string(cost.linear_nodes) +
          " of them linear with constant weights\n";
  text += "arithmetic   " + FormatCount(cost.mul_adds) + " multiply-adds, " +
          FormatFixed(100 * LinearShare(cost), 1) + "% can be offloaded\n";
  text += "memory       " + FormatBytes(cost.weight_bytes) + " of weights";
  if (cost.peak_activation_bytes > 0) {
    text += ", at most " + FormatBytes(cost.peak_activation_bytes) + " of activations at once";
  }
  text += "\n";
  return text + "verdict      " + model + " can run\n";
}

std::string VerdictJson(const std::string& model, const Verdict& verdict) {
  Json unsupported = Json::array();
  for (const UnsupportedNode& node : verdict.import.unsupported) {
    unsupported.push_back(
        {{"node", node.node}, {"operator", node.op_type}, {"domain", node.domain}, {"reason", node.reason}});
  }
  const ModelCost& cost = verdict.cost;
  Json json = {{"model", model},
               {"can_run", !verdict.error.has_value()},
               {"reason", verdict.error.has_value() ? Json(verdict.error->message) : Json(nullptr)},
               {"unsupported", unsupported},
               {"notes", verdict.import.notes},
               {"operators", {{"total", cost.nodes}, {"linear", cost.linear_nodes}}},
               {"mul_adds", {{"total", cost.mul_adds}, {"linear", cost.linear_mul_adds}}},
               {"weight_bytes", cost.weight_bytes},
               {"peak_activation_bytes", cost.peak_activation_bytes}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Status Check(const CheckOptions& options) {
  Verdict verdict;
  bool is_sealed = TRY(IsSealed(options.model, options.keys));
  Result<ModelCost> cost = (is_sealed ? ExamineSealed : Examine)(options, verdict);
  if (cost.ok()) {
    verdict.cost = *cost;
  } else {
    verdict.error = cost.error();
  }
  std::string text = options.json ? VerdictJson(options.model, verdict) : VerdictText(options.model, verdict);
  std::fputs(text.c_str(), stdout);
  if (verdict.error.has_value()) return *verdict.error;
  return {};
}

}  // namespace

void AddCheckCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App* command = app.add_subcommand("check", "Say whether a model can run, and what stands in the way.");
  AddModelOption(*command, options->model);
  AddKeyOptions(*command, options->keys);
  AddEnclaveOptions(*command, options->where);
  command->add_option("--dim", options->inputs.dims, "SYMBOL=EXTENT, for a symbolic dimension [1]");
  command->add_flag("--json", options->json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Check(*options); }; });
}

}  // namespace soter
