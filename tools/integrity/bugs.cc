#include <cmath>
#include <cstring>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/testing/networks.h"

// The hostile worker's lies within whole networks: what comes out without a check, and how often a check stops it.
namespace soter::integrity {
namespace {

const char* NameOf(control::Scheme scheme) { return scheme == control::Scheme::kSoter ? "soter" : "verified"; }

// Without a check, verified is insecure.
control::Settings SettingsFor(control::Scheme scheme, control::Check check, uint32_t threads) {
  if (scheme == control::Scheme::kVerified && check == control::Check::kNone) scheme = control::Scheme::kInsecure;
  control::Settings settings{.scheme = scheme, .theta = 1.0, .check = check, .threads = threads};
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
  Network(std::string name, control::Scheme scheme, std::function<Result<ValidatedGraph>()> make,
          const CampaignOptions& options)
      : name_(std::move(name)), scheme_(scheme), make_(std::move(make)), options_(options) {}

  BugRow Measure(const hostile::Bug& bug, control::Check check, uint64_t runs) {
    BugRow row{name_, std::string(bug.name), NameOf(scheme_), check == control::Check::kNone ? "none" : "freivalds", 0, 0, 0};
    auto random = MakeSeededRandom(options_.seed);
    while (row.runs < runs && !Stopped()) {
      // A first honest query, so that replays have something to repeat; wrong weights are wrong from the start.
      hostile::Liar liar(bug, {.after = 1, .seed = row.runs + 1});
      ValidatedGraph model = make_().value();
      const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
      auto session = LyingSession::Create(std::move(model), SettingsFor(scheme_, check, options_.threads), &liar).value();
      if (bug.weight == nullptr && !session->Run(RandomInputs(graph, *random)).ok()) break;
      for (int i = 0; i < kMaxCheckFailures && row.runs < runs; ++i, ++row.runs) Query(*session, graph, *random, check, row);
    }
    return row;
  }

 private:
  void Query(LyingSession& session, const Graph& graph, RandomSource& random, control::Check check, BugRow& row) {
    std::vector<Tensor> inputs = RandomInputs(graph, random);
    Result<control::RunReport> report = session.Run(inputs);
    row.caught += !report.ok() && report.error().code == ErrorCode::kIntegrity;
    if (check != control::Check::kNone || !report.ok()) return;
    if (plain_ == nullptr)
      plain_ = LyingSession::Create(make_().value(), SettingsFor(scheme_, check, options_.threads), nullptr).value();
    Result<control::RunReport> honest = plain_->Run(inputs);
    row.changed += honest.ok() && Differs(*report, *honest);
  }

  std::string name_;
  control::Scheme scheme_;
  std::function<Result<ValidatedGraph>()> make_;
  const CampaignOptions& options_;
  std::unique_ptr<LyingSession> plain_;
};

void MeasureNetwork(Network& network, const std::string& what, uint64_t runs, std::vector<BugRow>& rows) {
  for (const hostile::Bug& bug : hostile::AllBugs()) {
    if (!IsMeasured(bug) || runs == 0 || Stopped()) continue;
    Say("bugs: " + what + ", " + std::string(bug.name));
    rows.push_back(network.Measure(bug, control::Check::kNone, std::min<uint64_t>(runs, 6)));
    rows.push_back(network.Measure(bug, control::Check::kFreivalds, runs));
  }
}

}  // namespace

std::vector<BugRow> MeasureBugs(const CampaignOptions& options) {
  std::vector<BugRow> rows;
  for (control::Scheme scheme : {control::Scheme::kVerified, control::Scheme::kSoter}) {
    const std::string suffix = std::string(", ") + NameOf(scheme);
    Network small("small CNN", scheme, []() -> Result<ValidatedGraph> { return testing::WideCnn(1); }, options);
    MeasureNetwork(small, "small CNN" + suffix, options.runs, rows);
    Network large("vgg19", scheme, [] { return ZooModel("vgg19"); }, options);
    MeasureNetwork(large, "vgg19" + suffix, options.large_runs, rows);
  }
  return rows;
}

}  // namespace soter::integrity
