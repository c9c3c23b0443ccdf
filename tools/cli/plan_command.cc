#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "tools/cli/commands.h"
#include "tools/cli/model.h"
#include "tools/cli/run_report.h"
#include "tools/cli/sealed_file.h"
#include "tools/cli/session.h"
#include "tools/cli/text.h"

namespace soter {

namespace {

using Json = nlohmann::ordered_json;

struct PlanOptions {
  SchemeOptions scheme;
  bool profile = true;
};

struct PlanSummary {
  std::string model, tee;
  control::Settings settings;
  std::vector<Shape> input_shapes;
  control::PlanReport report;
};

double Share(int64_t part, int64_t all) {
  return all > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(all) : 0;
}

std::string NodesText(const control::PlanReport& report) {
  Table table({{"stage", Table::Align::kRight},
               {"where"},
               {"mask"},
               {"check"},
               {"mul-adds", Table::Align::kRight},
               {"ms", Table::Align::kRight},
               {"operator"},
               {"name"},
               {"output"},
               {"why"}});
  for (const control::NodePlan& node : report.nodes) {
    table.AddRow({std::to_string(node.stage), node.accelerator ? "accelerator" : "enclave",
                  node.masked ? "scaled" : "-", node.checked ? "yes" : "-",
                  node.mul_adds > 0 ? FormatCount(node.mul_adds) : "-",
                  node.enclave_ms > 0 ? FormatFixed(node.enclave_ms, 3) : "-", node.op,
                  TerminalSafe(node.name, Lines::kJoin), node.type, node.reason});
  }
  return table.Text();
}

std::string PlanAsText(const PlanSummary& summary) {
  const control::PlanReport& report = summary.report;
  const control::Settings& settings = summary.settings;
  std::string text = summary.model + ": scheme " + SchemeName(settings.scheme);
  if (settings.scheme == control::Scheme::kSoter) text += ", theta " + FormatFixed(settings.theta, 2);
  text += ", check " + std::string(CheckName(settings.check)) + "\n" + TeeLine(summary.tee) + "\n\n";
  text += NodesText(report) + "\n";
  text += "offloaded  " + std::to_string(report.linear_offloaded) + " of " + std::to_string(report.linear_total) +
          " linear operators, " + FormatFixed(Share(report.mul_adds_offloaded, report.mul_adds_total), 1) + "% of " +
          FormatCount(report.mul_adds_total) + " multiply-adds\n";
  text += "traffic    " + std::to_string(report.switches) + " switch" + (report.switches == 1 ? "" : "es") + ", " +
          FormatBytes(report.bytes_sent) + " sent, " + FormatBytes(report.bytes_received) + " received\n";
  text += "weights    " + FormatBytes(report.enclave_weight_bytes) + " in the enclave, " +
          FormatBytes(report.accelerator_weight_bytes) + " on the accelerator\n";
  if (report.expected_ms > 0) {
    text += "expected   " + FormatMs(report.expected_ms) + " if the accelerator is as fast as the enclave\n";
  }
  text += "note       " + TerminalSafe(report.notice, Lines::kJoin) + "\n";
  text += "           The choice is drawn anew at every load: another run offloads other operators.\n";
  return text;
}

std::string PlanAsJson(const PlanSummary& summary) {
  const control::PlanReport& report = summary.report;
  Json nodes = Json::array();
  for (const control::NodePlan& node : report.nodes) {
    nodes.push_back({{"name", node.name},
                     {"operator", node.op},
                     {"output", node.type},
                     {"stage", node.stage},
                     {"where", node.accelerator ? "accelerator" : "enclave"},
                     {"linear", node.linear},
                     {"masked", node.masked},
                     {"checked", node.checked},
                     {"mul_adds", node.mul_adds},
                     {"enclave_ms", node.enclave_ms},
                     {"reason", node.reason}});
  }
  Json json = {
      {"model", summary.model},
      {"scheme", SchemeName(summary.settings.scheme)},
      {"theta", summary.settings.theta},
      {"check", CheckName(summary.settings.check)},
      {"precision", wire::ArithmeticName(summary.settings.precision)},
      {"tee", summary.tee},
      {"input_shapes", summary.input_shapes},
      {"nodes", nodes},
      {"linear", {{"total", report.linear_total}, {"offloaded", report.linear_offloaded}}},
      {"mul_adds", {{"total", report.mul_adds_total}, {"offloaded", report.mul_adds_offloaded}}},
      {"switches", report.switches},
      {"bytes_sent", report.bytes_sent},
      {"bytes_received", report.bytes_received},
      {"weight_bytes", {{"enclave", report.enclave_weight_bytes}, {"accelerator", report.accelerator_weight_bytes}}},
      {"expected_ms", report.expected_ms},
      {"notice", report.notice}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Each fills in the shapes and the TEE of `summary`, and returns an enclave that has the model.
Result<std::unique_ptr<EnclaveSession>> StartOnnx(const SchemeOptions& options, const EnclaveOptions& enclave,
                                                  Progress& progress, PlanSummary& summary) {
  ValidatedGraph model = TRY(LoadModel(options.model, nullptr, &progress));
  summary.input_shapes = TRY(ChooseShapes(model.graph(), options.inputs));
  TRY(CheckShapes(model, summary.input_shapes));
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  summary.tee = TRY(session->SendModel(model.graph())).tee;
  return session;
}

Result<std::unique_ptr<EnclaveSession>> StartSealed(const SchemeOptions& options, const EnclaveOptions& enclave,
                                                    Progress& progress, PlanSummary& summary) {
  SealedFile file = TRY(SealedFile::Open(options.model, options.keys));
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  control::ModelReport model = TRY(file.SendTo(*session));
  summary.input_shapes = TRY(ChooseShapes(TRY(InputsOf(model)), options.inputs));
  summary.tee = model.tee;
  return session;
}

Status Plan(const PlanOptions& options) {
  Progress progress;
  EnclaveOptions enclave = MakeEnclaveOptions(options.scheme);
  enclave.needs_worker = false;  // a plan is made in the enclave alone
  PlanSummary summary{.model = options.scheme.model, .settings = enclave.settings};
  bool is_sealed = TRY(IsSealed(options.scheme.model, options.scheme.keys));
  std::unique_ptr<EnclaveSession> session =
      TRY((is_sealed ? StartSealed : StartOnnx)(options.scheme, enclave, progress, summary));
  summary.report = TRY(session->Plan({.input_shapes = summary.input_shapes, .profile = options.profile}));
  progress.Clear();
  std::fputs((options.scheme.json ? PlanAsJson(summary) : PlanAsText(summary)).c_str(), stdout);
  return {};
}

}  // namespace

void AddPlanCommand(CLI::App& app, Command& chosen) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* command = app.add_subcommand("plan", "Show who computes what, under which mask and check.");
  AddModelOption(*command, options->scheme.model);
  AddKeyOptions(*command, options->scheme.keys);
  AddSchemeOptions(*command, options->scheme);
  AddInputOptions(*command, options->scheme.inputs);
  command->add_flag("!--no-profile", options->profile, "do not measure the operators in the enclave");
  command->add_flag("--json", options->scheme.json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Plan(*options); }; });
}

}  // namespace soter
