#include <algorithm>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"

// What a check costs the enclave by itself: the accelerator computes in this process and is done before the enclave begins,
// so that neither takes the other's processors. Where both run at a time, the same work overlaps with computing.
namespace soter::integrity {
namespace {

struct Contestant {
  const char* name;
  control::Scheme scheme;
  control::Check check;
};

constexpr Contestant kContestants[] = {
    {"mlcapsule", control::Scheme::kMlcapsule, control::Check::kNone},
    {"soter, no check", control::Scheme::kSoter, control::Check::kNone},
    {"verified, freivalds", control::Scheme::kVerified, control::Check::kFreivalds},
    {"soter, freivalds", control::Scheme::kSoter, control::Check::kFreivalds},
    {"soter, fingerprint", control::Scheme::kSoter, control::Check::kFingerprint},
};

control::Settings SettingsOf(const Contestant& contestant, const CampaignOptions& options) {
  control::Settings settings{.scheme = contestant.scheme, .theta = 1.0, .check = contestant.check, .threads = options.threads};
  settings.timeout_ms = 600'000;
  return settings;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// Medians of each part over all rounds of one contestant.
struct Samples {
  std::vector<double> total, trusted, switching, check;
  CostRow row;

  void Add(const control::RunReport& report) {
    for (const control::Latency& latency : report.repeats) {
      total.push_back(latency.total), trusted.push_back(latency.trusted);
      switching.push_back(latency.switching), check.push_back(latency.check);
    }
    row.checks = report.checks_made;
  }
};

void MeasureModel(const std::string& name, const CampaignOptions& options, std::vector<CostRow>& rows) {
  auto random = MakeSeededRandom(options.seed);
  std::vector<Samples> samples(std::size(kContestants));
  for (size_t i = 0; i < samples.size(); ++i) samples[i].row = {.model = name, .scheme = kContestants[i].name};
  for (uint32_t round = 0; round < options.rounds; ++round)
    for (size_t i = 0; i < samples.size() && !Stopped(); ++i) {
      Say("cost: " + name + ", " + kContestants[i].name + ", round " + std::to_string(round + 1));
      Result<ValidatedGraph> model = ZooModel(name);
      if (!model.ok()) return Say(model.error().message);
      std::vector<Tensor> inputs = RandomInputs(model->graph(), *random);
      auto session = LyingSession::Create(std::move(model).value(), SettingsOf(kContestants[i], options), nullptr);
      if (!session.ok()) return Say(session.error().message);
      Result<control::RunReport> warm = (*session)->Run(inputs), report = (*session)->Run(inputs, options.repeat);
      if (!warm.ok() || !report.ok()) return Say((warm.ok() ? report : warm).error().message);
      samples[i].Add(*report);
      samples[i].row.checks = report->checks_made / (options.repeat + 1);
      samples[i].row.crossed = (*session)->bytes_crossed() / (options.repeat + 1);
    }
  for (Samples& each : samples) {
    each.row.mlcapsule_ms = Median(samples[0].total);
    each.row.trusted_ms = Median(each.trusted), each.row.switch_ms = Median(each.switching), each.row.check_ms = Median(each.check);
    rows.push_back(each.row);
  }
}

}  // namespace

std::vector<CostRow> MeasureCost(const CampaignOptions& options) {
  std::vector<CostRow> rows;
  for (const std::string& model : options.models)
    if (!Stopped()) MeasureModel(model, options, rows);
  return rows;
}

}  // namespace soter::integrity
