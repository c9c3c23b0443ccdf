// soter-integrity-bench: what checks cost and what they catch; `soter bench --integrity` starts it. It has the enclave, an
// accelerator and the hostile worker's lies in one process, so it is a measurement, never a deployment.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "tools/integrity/report.h"

namespace soter::integrity {
namespace {

bool Has(const CampaignOptions& options, const char* part) {
  return !Stopped() && std::find(options.parts.begin(), options.parts.end(), part) != options.parts.end();
}

// After each part the report is written anew, so that whatever ends the campaign leaves what was measured.
Status RunCampaign(const CampaignOptions& options) {
  Campaign campaign;
  auto keep = [&]() -> Status {
    campaign.interrupted = Stopped();
    return WriteReport(options, campaign);
  };
  TRY(keep());
  if (Has(options, "cost")) campaign.cost = MeasureCost(options), TRY(keep());
  if (Has(options, "operators")) campaign.operators = MeasureOperators(options), TRY(keep());
  if (Has(options, "span")) campaign.span = MeasureSpanAttack(options), TRY(keep());
  if (Has(options, "distances")) campaign.distances = MeasureDistances(options), TRY(keep());
  if (Has(options, "detection")) campaign.detection = MeasureDetection(options), TRY(keep());
  if (Has(options, "false-alarms")) campaign.false_alarms = MeasureFalseAlarms(options), TRY(keep());
  if (Has(options, "honest-networks")) campaign.honest = MeasureHonestNetworks(options), TRY(keep());
  if (Has(options, "sensitivity")) campaign.sensitivity = MeasureSensitivity(options), TRY(keep());
  if (Has(options, "timing")) campaign.timing = MeasureTiming(options), TRY(keep());
  if (Has(options, "bugs")) campaign.bugs = MeasureBugs(options), TRY(keep());
  return keep();
}

}  // namespace
}  // namespace soter::integrity

int main(int argc, char** argv) {
  CLI::App app("Measures what checks cost and what they catch. Ctrl-C ends it early and keeps what was measured.");
  soter::integrity::CampaignOptions options;
  app.add_option("--report", options.report, "the directory that the report goes to")->required();
  app.add_option("--models", options.models, "networks of the zoo whose cost is measured")->delimiter(',')->capture_default_str();
  const std::vector<std::string> parts = {"cost", "operators", "detection", "bugs", "false-alarms", "honest-networks",
                                          "sensitivity", "timing", "span", "distances"};
  app.add_option("--parts", options.parts, "what is measured; all but operators, honest-networks, sensitivity and timing")
      ->delimiter(',')->check(CLI::IsMember(parts));
  app.add_option("--honest-runs", options.honest_runs, "of each network with each kind of input")->capture_default_str();
  app.add_option("--runs", options.runs, "of each attack on small operators and networks")->capture_default_str();
  app.add_option("--large-runs", options.large_runs, "of each attack on VGG19 and its operators")->capture_default_str();
  app.add_option("--columns", options.columns, "honest columns for each family and distribution")->capture_default_str();
  app.add_option("--seed", options.seed, "of data; probes are never repeatable")->capture_default_str();
  app.add_option("--rounds", options.rounds, "in which the schemes take turns")->capture_default_str();
  app.add_option("--repeat", options.repeat, "inferences in each round")->capture_default_str();
  app.add_option("--threads", options.threads, "of the enclave")->check(CLI::Range(1u, 1024u))->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  soter::integrity::StopOnInterrupt();
  soter::Status status = soter::integrity::RunCampaign(options);
  if (!status.ok()) std::fprintf(stderr, "soter-integrity-bench: %s\n", status.error().message.c_str());
  if (status.ok() && soter::integrity::Stopped()) soter::integrity::EndByInterrupt();
  return status.ok() ? 0 : 2;
}
