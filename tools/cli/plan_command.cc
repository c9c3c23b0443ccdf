#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

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
  bool profile = true, predict = false;
};

struct PlanSummary {
  std::string model, tee;
  control::Settings settings;
  std::vector<Shape> input_shapes;
  std::vector<Tensor> samples;
  control::PlanReport report;
};

// Known is nothing where a rate was not measured.
Json Known(double rate) { return rate < 0 ? Json(nullptr) : Json(rate); }

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

// Nothing where there is no deadline.
std::optional<bool> KeepsDeadline(const PlanSummary& summary) {
  const control::Settings& settings = summary.settings;
  if (settings.scheme != control::Scheme::kAegisdnn || !(settings.deadline_ms > 0) || !summary.report.predicted) return {};
  return summary.report.expected_ms <= settings.deadline_ms;
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
  if (report.fault_rate >= 0) {
    text += "faults     " + FormatFixed(100 * report.fault_rate, 2) + "% of faults in a layer drawn at random change the answer (" +
            std::to_string(report.faults) + " injected)\n";
  }
  if (report.expected_ms > 0) {
    text += "expected   " + FormatMs(report.expected_ms) +
            (report.predicted ? ", from times of both sides\n" : " if the accelerator is as fast as the enclave\n");
  }
  if (std::optional<bool> kept = KeepsDeadline(summary))
    text += "deadline   " + FormatMs(settings.deadline_ms) +
            (*kept ? ", kept\n" : ", NOT kept: no plan is expected to; this is the fastest\n");
  text += "note       " + TerminalSafe(report.notice, Lines::kJoin) + "\n";
  if (settings.scheme == control::Scheme::kSoter && !settings.placement.has_value())
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
                     {"accelerator_ms", report.predicted ? Json(node.accelerator_ms) : Json(nullptr)},
                     {"fault_rate", Known(node.fault_rate)},
                     {"value", node.value},
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
      {"predicted", report.predicted},
      {"deadline_kept", KeepsDeadline(summary) ? Json(*KeepsDeadline(summary)) : Json(nullptr)},
      {"fault_rate", Known(report.fault_rate)},
      {"faults", report.faults},
      {"notice", report.notice}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Each fills in the shapes and the TEE of `summary`, and returns an enclave that has the model.
Result<std::unique_ptr<EnclaveSession>> StartOnnx(const SchemeOptions& options, const EnclaveOptions& enclave,
                                                  Progress& progress, PlanSummary& summary) {
  ValidatedGraph model = TRY(LoadModel(options.model, nullptr, &progress));
  summary.input_shapes = TRY(ChooseShapes(model.graph(), options.inputs));
  TRY(CheckShapes(model, summary.input_shapes));
  summary.samples = TRY(ChooseSamples(options.policy, model.graph()));
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  TRY(SendPublicModel(options.policy, enclave.settings, *session, &progress));
  summary.tee = TRY(session->SendModel(model.graph())).tee;
  return session;
}

Result<std::unique_ptr<EnclaveSession>> StartSealed(const SchemeOptions& options, const EnclaveOptions& enclave,
                                                    Progress& progress, PlanSummary& summary) {
  SealedFile file = TRY(SealedFile::Open(options.model, options.keys));
  std::unique_ptr<EnclaveSession> session = TRY(EnclaveSession::Start(enclave, &progress));
  TRY(SendPublicModel(options.policy, enclave.settings, *session, &progress));
  control::ModelReport model = TRY(file.SendTo(*session));
  Graph inputs = TRY(InputsOf(model));
  summary.input_shapes = TRY(ChooseShapes(inputs, options.inputs));
  summary.samples = TRY(ChooseSamples(options.policy, inputs));
  summary.tee = model.tee;
  return session;
}

Status Plan(const PlanOptions& options) {
  Progress progress;
  EnclaveOptions enclave = TRY(MakeEnclaveOptions(options.scheme));
  // Without measurements a plan is made in the enclave alone.
  enclave.needs_worker = enclave.needs_worker && (options.predict || NeedsWorkerToPlan(enclave.settings));
  PlanSummary summary{.model = options.scheme.model, .settings = enclave.settings};
  bool is_sealed = TRY(IsSealed(options.scheme.model, options.scheme.keys));
  std::unique_ptr<EnclaveSession> session =
      TRY((is_sealed ? StartSealed : StartOnnx)(options.scheme, enclave, progress, summary));
  control::PlanRequest request{.input_shapes = summary.input_shapes, .profile = options.profile, .predict = options.predict};
  request.samples = std::move(summary.samples);
  summary.report = TRY(session->Plan(request));
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
  command->add_flag("--predict", options->predict, "time both sides, and predict the latency");
  command->add_flag("--json", options->scheme.json, "print one JSON object");
  command->callback([options, &chosen] { chosen.run = [options] { return Plan(*options); }; });
}

}  // namespace soter
