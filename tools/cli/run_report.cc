#include "tools/cli/run_report.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "tools/cli/options.h"
#include "tools/cli/statistics.h"
#include "tools/cli/text.h"

namespace soter {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint8_t kVerifiedNo = 0, kVerifiedYes = 1;

std::string OutputsText(const RunSummary& summary) {
  std::string text;
  for (size_t i = 0; i < summary.report.outputs.size(); ++i) {
    const auto& [name, tensor] = summary.report.outputs[i];
    text += "output " + name + "  " + TypeString(tensor.type());
    if (!summary.output_files[i].empty()) text += "  in " + summary.output_files[i];
    text += "\n";
    for (const TopEntry& entry : TopEntries(tensor)) {
      char line[64];
      std::snprintf(line, sizeof(line), "  %8zu  %12.6g\n", entry.index, entry.value);
      text += line;
    }
  }
  return text;
}

std::string VerifiedText(const control::RunReport& report, control::Check check) {
  std::string counts = std::to_string(report.checks_made) + " check" + (report.checks_made == 1 ? "" : "s") + " made";
  if (report.verified == kVerifiedYes && check == control::Check::kFingerprint) {
    return "yes: every fingerprint passed (" + counts + ", at random; they do not look at your own result)";
  }
  if (report.verified == kVerifiedYes)
    return "yes: every result of the accelerator passed its check (" + counts + ")";
  if (report.verified == kVerifiedNo) return "no: not every result of the accelerator was checked (" + counts + ")";
  if (check == control::Check::kFingerprint)
    return "no spot check fell on this run (more with --repeat or a higher --fingerprint-rate)";
  return "this run checks nothing";
}

std::string LatencyText(const control::RunReport& report) {
  LatencySummary summary = Summarise(report.repeats);
  const control::Latency& parts = summary.parts;
  std::string text = "latency    " + FormatMs(summary.median);
  if (report.repeats.size() > 1) {
    text += ", median of " + std::to_string(report.repeats.size()) + " (p10 " + FormatMs(summary.p10) + ", p90 " +
            FormatMs(summary.p90) + ")";
  }
  text += ", of it\n";
  Table table({{"            part"}, {"ms", Table::Align::kRight}, {"share", Table::Align::kRight}, {""}});
  auto add = [&](const char* name, double ms, const char* meaning) {
    std::string share = FormatFixed(100 * ms / std::max(parts.total, 1e-9), 1) + "%";
    table.AddRow({std::string("            ") + name, FormatFixed(ms, 3), share, meaning});
  };
  add("trusted", parts.trusted, "computing in the enclave");
  add("accelerator", parts.accelerator, "waiting for the accelerator");
  add("switch", parts.switching, "copying and signalling");
  add("check", parts.check, "checking results");
  text += table.Text();
  if (parts.overlapped > 0) text += "            beside it  " + FormatMs(parts.overlapped) + "\n";
  if (parts.reported > 0) {
    text += "            the accelerator says that it computed for " + FormatMs(parts.reported) + "\n";
  }
  return text;
}

std::string CountsText(const control::RunReport& report) {
  uint32_t all = report.trusted_operators + report.accelerator_operators;
  std::string text = "operators  " + std::to_string(all) + ": " + std::to_string(report.trusted_operators) +
                     " in the enclave, " + std::to_string(report.accelerator_operators) + " on the accelerator, " +
                     std::to_string(report.masked_operators) + " of these masked\n";
  return text + "traffic    " + std::to_string(report.switches) + " switch" + (report.switches == 1 ? "" : "es") +
         ", " + FormatBytes(report.bytes_sent) + " sent, " + FormatBytes(report.bytes_received) + " received\n";
}

std::string SettingsText(const RunSummary& summary) {
  const control::Settings& settings = summary.settings;
  std::string text = "scheme " + std::string(SchemeName(settings.scheme));
  if (settings.scheme == control::Scheme::kSoter) text += ", theta " + FormatFixed(settings.theta, 2);
  text += ", check " + std::string(CheckName(settings.check));
  if (settings.precision != wire::Arithmetic::kFloat32) {
    text += std::string(", precision ") + wire::ArithmeticName(settings.precision);
  }
  if (!summary.report.backend.empty()) {
    text += ", accelerator " + TerminalSafe(summary.report.backend, Lines::kJoin) + " (" +
            TerminalSafe(summary.report.device, Lines::kJoin) + ")";
  }
  return text;
}

std::string AttestedText(const RunSummary& summary) {
  if (!summary.attested) return {};
  return "the enclave's evidence satisfies the policy: " + std::string(PlatformName(summary.attested->platform)) +
         ", measurement " + EncodeHex(summary.attested->measurement) + "\n";
}

Json AttestedJson(const RunSummary& summary) {
  if (!summary.attested) return nullptr;
  return {{"platform", PlatformName(summary.attested->platform)},
          {"measurement", EncodeHex(summary.attested->measurement)},
          {"model_digest", EncodeHex(summary.attested->workload->model_digest)}};
}

// TakenBackText names a few of the operators that the accelerator did not take.
std::string TakenBackText(const control::RunReport& report) {
  constexpr size_t kNamed = 5;
  if (report.taken_back.empty()) return "";
  std::string text = "taken back " + std::to_string(report.taken_back.size()) + " operator" +
                     (report.taken_back.size() == 1 ? "" : "s") + " that the accelerator did not take ran in the enclave:";
  for (size_t i = 0; i < std::min(kNamed, report.taken_back.size()); ++i) {
    text += (i == 0 ? " " : ", ") + TerminalSafe(report.taken_back[i], Lines::kJoin);
  }
  if (report.taken_back.size() > kNamed) text += ", ...";
  return text + " (" + TerminalSafe(report.taken_back_because, Lines::kJoin) + ")\n";
}

// Number keeps JSON valid: it has no NaN and no infinity.
Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json OutputsJson(const RunSummary& summary) {
  Json outputs = Json::object();
  for (size_t i = 0; i < summary.report.outputs.size(); ++i) {
    const auto& [name, tensor] = summary.report.outputs[i];
    Json top = Json::array();
    for (const TopEntry& entry : TopEntries(tensor)) top.push_back({entry.index, Number(entry.value)});
    Json file = summary.output_files[i].empty() ? Json(nullptr) : Json(summary.output_files[i]);
    outputs[name] = {{"shape", tensor.shape()}, {"dtype", DTypeName(tensor.dtype())}, {"file", file}, {"top", top}};
  }
  return outputs;
}

Json LatencyJson(const control::RunReport& report) {
  LatencySummary summary = Summarise(report.repeats);
  const control::Latency& parts = summary.parts;
  return {{"trusted", parts.trusted},
          {"accelerator", parts.accelerator},
          {"switch", parts.switching},
          {"check", parts.check},
          {"total", {{"median", summary.median}, {"p10", summary.p10}, {"p90", summary.p90}}},
          {"overlapped", parts.overlapped},
          {"reported_accelerator", parts.reported}};
}

}  // namespace

std::string TeeLine(const std::string& tee) {
  if (tee != "dev") return "TEE " + TerminalSafe(tee, Lines::kJoin);
  return "development TEE: a plain process; it protects nothing against this machine's owner";
}

std::string RunAsText(const RunSummary& summary) {
  const control::RunReport& report = summary.report;
  std::string text = summary.model + ": " + SettingsText(summary) + "\n" + TeeLine(summary.tee) + "\n";
  text += AttestedText(summary) + "\n";
  text += OutputsText(summary) + "\nverified   " + VerifiedText(report, summary.settings.check) + "\n" +
          CountsText(report);
  text += TakenBackText(report) + LatencyText(report) + "load       " + FormatMs(report.load_ms) + "\n";
  if (!report.notice.empty()) text += "note       " + TerminalSafe(report.notice, Lines::kJoin) + "\n";
  return text;
}

std::string RunAsJson(const RunSummary& summary) {
  const control::RunReport& report = summary.report;
  bool knows = report.verified == kVerifiedYes || report.verified == kVerifiedNo;
  auto text = [](const std::string& value) { return value.empty() ? Json(nullptr) : Json(value); };
  Json json = {
      {"model", summary.model},
      {"scheme", SchemeName(summary.settings.scheme)},
      {"theta", summary.settings.theta},
      {"check", CheckName(summary.settings.check)},
      {"precision", wire::ArithmeticName(summary.settings.precision)},
      {"worker", {{"backend", text(report.backend)}, {"device", text(report.device)}}},
      {"tee", summary.tee},
      {"attested", AttestedJson(summary)},
      {"outputs", OutputsJson(summary)},
      {"verified", knows ? Json(report.verified == kVerifiedYes) : Json(nullptr)},
      {"checks", {{"made", report.checks_made}, {"failed", report.checks_failed}}},
      {"operators",
       {{"trusted", report.trusted_operators},
        {"accelerator", report.accelerator_operators},
        {"masked", report.masked_operators}}},
      {"taken_back", {{"operators", report.taken_back}, {"reason", text(report.taken_back_because)}}},
      {"switches", report.switches},
      {"bytes_sent", report.bytes_sent},
      {"bytes_received", report.bytes_received},
      {"latency_ms", LatencyJson(report)},
      {"load_ms", report.load_ms},
      {"repeat", report.repeats.size()},
      {"notice", report.notice},
  };
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace soter
