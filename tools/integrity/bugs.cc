#include <cmath>
#include <cstring>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/testing/networks.h"

// The hostile worker's lies within whole networks: what comes out without a check, and how often a check stops it.
namespace soter::integrity {
namespace {

control::Settings SettingsFor(control::Check check, uint32_t threads) {
  control::Settings settings{.scheme = control::Scheme::kSoter, .theta = 1.0, .check = check, .threads = threads};
  settings.timeout_ms = 600'000;
  return settings;
}

bool Differs(const control::RunReport& a, const control::RunReport& b) {
  std::span<const std::byte> x = a.outputs.at(0).tensor.bytes(), y = b.outputs.at(0).tensor.bytes();
  return x.size() != y.size() || std::memcmp(x.data(), y.data(), x.size()) != 0;
}

// Lies that are well-formed answers and need no second thread or frames of their own.
bool IsMeasured(const hostile::Bug& bug) {
  return bug.effect == hostile::Effect::kLie && bug.after == nullptr && !bug.spares_fingerprints;
}

class Network {
 public:
  Network(std::string name, std::function<Result<ValidatedGraph>()> make, const CampaignOptions& options)
      : name_(std::move(name)), make_(std::move(make)), options_(options) {}

  BugRow Measure(const hostile::Bug& bug, control::Check check, uint64_t runs) {
    BugRow row{name_, std::string(bug.name), check == control::Check::kNone ? "none" : "freivalds", 0, 0, 0};
    auto random = MakeSeededRandom(options_.seed);
    while (row.runs < runs && !Stopped()) {
      // A first honest query, so that replays have something to repeat; wrong weights are wrong from the start.
      hostile::Liar liar(bug, {.after = 1, .seed = row.runs + 1});
      ValidatedGraph model = make_().value();
      const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
      auto session = LyingSession::Create(std::move(model), SettingsFor(check, options_.threads), &liar).value();
      if (bug.weight == nullptr && !session->Run(RandomInputs(graph, *random)).ok()) break;
      for (int i = 0; i < kMaxCheckFailures && row.runs < runs; ++i, ++row.runs) Query(*session, graph, *random, check, row);
    }
    return row;
  }

 private:
  void Query(LyingSession& session, const Graph& graph, RandomSource& random, control::Check check, BugRow& row) {
    std::vector<Tensor> inputs = RandomInputs(graph, random);
    Result<control::RunReport> report = session.Run(inputs);
    row.caught += !report.ok();
    if (check != control::Check::kNone || !report.ok()) return;
    if (plain_ == nullptr) plain_ = LyingSession::Create(make_().value(), SettingsFor(check, options_.threads), nullptr).value();
    Result<control::RunReport> honest = plain_->Run(inputs);
    row.changed += honest.ok() && Differs(*report, *honest);
  }

  std::string name_;
  std::function<Result<ValidatedGraph>()> make_;
  const CampaignOptions& options_;
  std::unique_ptr<LyingSession> plain_;
};

}  // namespace

std::vector<BugRow> MeasureBugs(const CampaignOptions& options) {
  std::vector<BugRow> rows;
  struct { std::string name; uint64_t runs; std::function<Result<ValidatedGraph>()> make; } networks[] = {
      {"small CNN", options.runs, []() -> Result<ValidatedGraph> { return testing::WideCnn(1); }},
      {"vgg19", options.large_runs, [] { return ZooModel("vgg19"); }}};
  for (const auto& [name, runs, make] : networks) {
    Network network(name, make, options);
    for (const hostile::Bug& bug : hostile::AllBugs()) {
      if (!IsMeasured(bug) || runs == 0 || Stopped()) continue;
      Say("bugs: " + name + ", " + std::string(bug.name));
      BugRow unchecked = network.Measure(bug, control::Check::kNone, std::min<uint64_t>(runs, 6));
      BugRow row = network.Measure(bug, control::Check::kFreivalds, runs);
      rows.push_back(unchecked), rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace soter::integrity
