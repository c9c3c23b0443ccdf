#include "tools/audit/campaign.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include "audit/controls/masks.h"
#include "tools/audit/active_campaign.h"
#include "tools/audit/guess_files.h"
#include "tools/audit/run_attacks.h"
#include "tools/audit/stealing.h"
#include "tools/cli/options.h"
#include "tools/cli/text.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kSeedsToTry = 32;
constexpr double kAboveFloor = 0.02;  // and two deviations
constexpr size_t kActiveBatch = 128;  // queries at once of an accelerator that chooses its answers
constexpr size_t kFewUnits = 8;       // that it walks in a small audit

// Scripts is where audit/victims lies: training is Python's (docs/decisions/0018-training-for-the-audit.md).
fs::path Scripts() {
  const char* elsewhere = std::getenv("SOTER_AUDIT_SCRIPTS");
  return fs::path(elsewhere != nullptr ? elsewhere : SOTER_AUDIT_SCRIPTS);
}

StealingEffort EffortOf(const AuditOptions& options) {
  StealingEffort effort{.budgets = options.budgets};
  for (size_t i = 0; i < options.seeds; ++i) effort.seeds.push_back(options.seed + i);
  effort.labels = options.small ? std::vector<std::string>{"soft"} : std::vector<std::string>{"soft", "hard"};
  return effort;
}

bool HasTheta(control::Scheme scheme) {
  return scheme == control::Scheme::kSoter || scheme == control::Scheme::kEnnclave;
}

// SettingsFor: under ennclave, theta is the share of the `operators` linear ones whose layers are public.
control::Settings SettingsFor(const AuditOptions& options, const std::string& scheme, double theta, size_t operators) {
  control::Settings settings{.scheme = SchemeFromName(scheme), .theta = theta};
  bool checked = settings.scheme == control::Scheme::kSoter || settings.scheme == control::Scheme::kVerified;
  settings.check = checked ? control::Check::kFreivalds : control::Check::kNone;
  if (settings.scheme == control::Scheme::kSoter && !options.check.empty())
    settings.check = CheckFromName(options.check);
  double kept = (1 - theta) * static_cast<double>(operators);
  settings.private_layers = std::max(1u, static_cast<uint32_t>(std::lround(kept)));
  settings.threads = settings.worker_threads = 1;
  settings.seed = options.seed;
  return settings;
}

// WithEnoughOffloaded: where operators are drawn at random, the first draw counts that leaves enough work on the
// accelerator to say anything.
Result<control::Settings> WithEnoughOffloaded(const Victim& victim, control::Settings settings, const Shape& query) {
  if (settings.scheme != control::Scheme::kSoter) return settings;
  control::Settings tried = settings;
  for (uint64_t i = 0; i < kSeedsToTry; ++i, tried.seed = *tried.seed + 1000)
    if (TRY(OffloadedShare(victim, tried, query)) >= kLeastShare) return tried;
  return settings;
}

// VictimAudit is everything that is done to one victim.
class VictimAudit {
 public:
  VictimAudit(const AuditOptions& options, const Victim& victim, Progress& progress, Report& report)
      : options_(options), victim_(victim), progress_(progress), report_(report) {}

  Status Run() {
    scratch_ = TRY(ScratchDirectory::Make());
    std::vector<Shape> shapes = {RowsOf(victim_.query_inputs, 0, 1).shape()};
    layers_ = LinearLayers(TRY(Bind(victim_.ancestor, shapes)));
    TRY(MeasureFloor());
    for (const std::string& scheme : options_.schemes)
      for (double theta : options_.thetas) {
        TRY(AuditScheme(scheme, theta));
        if (!HasTheta(SchemeFromName(scheme))) break;
      }
    return {};
  }

  // RunControls attacks the masks that must break.
  Status RunControls() {
    for (const ControlMask& mask : ControlMasks()) TRY(RunControl(mask));
    return {};
  }

 private:
  Status MeasureFloor() {
    if (options_.budgets.empty()) return {};
    progress_.Show(victim_.name + ": the black-box floor", 0);
    std::vector<StealingRun> runs = FloorRuns(EffortOf(options_));
    floor_ = Curves(victim_.name, "black box", 0, TRY(Steal(Scripts(), victim_.directory, runs, scratch_->path() / "floor")));
    for (StealingCurve& curve : floor_) curve.floor = FloorAt(floor_, curve.budget, curve.labels).accuracy;
    std::ranges::copy(floor_, std::back_inserter(report_.stealing));
    return {};
  }

  Tensor Queries() const {
    return RowsOf(victim_.query_inputs, 0, std::min(options_.queries, RowCount(victim_.query_inputs)));
  }

  Status AuditScheme(const std::string& scheme, double theta) {
    std::string label = scheme + "-" + FormatFixed(theta, 2);
    fs::path record = scratch_->path() / label / "record";
    std::error_code error;
    fs::create_directories(record.parent_path(), error);
    Tensor queries = Queries();
    control::Settings settings =
        TRY(WithEnoughOffloaded(victim_, SettingsFor(options_, scheme, theta, layers_.size()), RowsOf(queries, 0, 1).shape()));
    Recording recording = TRY(Record(victim_, settings, queries, record, &progress_));
    Target target{.victim = victim_.name,
                  .scheme = scheme,
                  .check = CheckName(settings.check),
                  .theta = settings.theta,
                  .masked = settings.scheme == control::Scheme::kSoter,
                  .share = recording.share,
                  .linear_offloaded = recording.linear_offloaded,
                  .linear_total = recording.linear_total};
    std::vector<Attack> attacks = TRY(ChosenAttacks(options_));
    if (!options_.attack_program.empty())
      attacks.push_back(ProgramAttack(options_.attack_program, record, victim_.directory / "ancestor.onnx",
                                      record.parent_path() / "program-guess"));
    std::vector<View> loads;
    loads.push_back(std::move(recording.view));
    Guess best;
    std::vector<Outcome> outcomes = TRY(RunAttacks(victim_, target, loads, attacks, &progress_, &best));
    TRY(StealWith(target, best, record.parent_path()));
    AddControl(outcomes.back());
    std::ranges::move(outcomes, std::back_inserter(report_.outcomes));
    if (settings.scheme != control::Scheme::kSoter || !options_.attacks.empty()) return {};
    settings.placement = recording.placement;
    return AttackWithEachCheck(std::move(target), std::move(settings), best, record.parent_path());
  }

  // AttackWithEachCheck: the same operators stay in the enclave; what differs is whether it notices answers that are chosen.
  // What was found is then put together with `passive`, what watching alone gave.
  Status AttackWithEachCheck(Target target, control::Settings settings, const Guess& passive, const fs::path& directory) {
    Tensor batch = RowsOf(victim_.query_inputs, 0, std::min(kActiveBatch, RowCount(victim_.query_inputs)));
    ActiveEffort effort{.most_units = options_.small ? kFewUnits : SIZE_MAX, .seed = options_.seed};
    for (control::Check check : {control::Check::kNone, control::Check::kFingerprint, control::Check::kFreivalds}) {
      settings.check = check;
      target.check = CheckName(check);
      progress_.Show(target.victim + ", soter, check " + target.check + ": kink walk", 0);
      Guess found;
      Outcome walk = TRY(AttackWithChoices(victim_, target, settings, batch, directory / target.check, effort, &found));
      AddActiveControl(walk);
      Outcome all{.target = target, .attack = "all, kink-walk", .source = "of the attacks, with what was walked put in",
                  .sees = walk.sees};
      found.findings.clear();
      std::ranges::copy_if(passive.layers, std::back_inserter(found.layers), [&](const LayerGuess& layer) {
        return std::ranges::find(found.layers, layer.layer, &LayerGuess::layer) == found.layers.end();
      });
      TRY(Score(victim_, found, all));
      report_.outcomes.push_back(std::move(walk));
      report_.outcomes.push_back(std::move(all));
    }
    return {};
  }

  // Where there is a stage to walk, it must work unchecked and be stopped by Freivalds' check.
  void AddActiveControl(const Outcome& outcome) {
    bool stopped = outcome.target.check == "freivalds", unchecked = outcome.target.check == "none";
    auto finding = [&](const char* name) { return outcome.findings.contains(name) ? outcome.findings.at(name) : 0.0; };
    if ((!stopped && !unchecked) || finding("stages attacked") == 0) return;
    report_.controls.push_back({.name = outcome.target.victim + " under soter, theta " +
                                        FormatFixed(outcome.target.theta, 2) + ", check " + outcome.target.check,
                                .attack = outcome.attack,
                                .must_break = unchecked,
                                .broke = outcome.broken(),
                                .detail = std::to_string(outcome.broken_layers()) + " operators in " +
                                          FormatFixed(finding("queries asked"), 0) + " queries, " +
                                          FormatFixed(finding("answers refused"), 0) + " answers refused"});
  }

  // StealWith trains substitutes from what the attacks yield, at the budgets of the black-box attackers.
  Status StealWith(const Target& target, const Guess& guess, const fs::path& scratch) {
    if (options_.budgets.empty()) return {};
    progress_.Show(target.victim + ", " + target.scheme + ": substitutes", 0);
    TRY(WriteGuess(scratch / "guess", layers_, guess));
    std::vector<StealingRun> runs = GuessRuns(EffortOf(options_), scratch / "guess");
    std::vector<StealingCurve> curves = Curves(target.victim, target.scheme, target.theta,
                                               TRY(Steal(Scripts(), victim_.directory, runs, scratch / "steal")));
    for (StealingCurve& curve : curves) {
      FloorLevel floor = FloorAt(floor_, curve.budget, curve.labels);
      double spread = std::max(floor.deviation, DeviationOf(curve.accuracy));
      curve.share = target.share, curve.floor = floor.accuracy;
      curve.above_floor = MeanOf(curve.accuracy) > floor.accuracy + std::max(kAboveFloor, 2 * spread);
      withstood_ = withstood_ && !curve.above_floor;
      report_.stealing.push_back(std::move(curve));
    }
    return {};
  }

  void AddControl(const Outcome& all) {
    const std::string& scheme = all.target.scheme;
    bool must_break = scheme == "insecure" || scheme == "soter", must_withstand = scheme == "mlcapsule";
    bool stole = !withstood_;
    withstood_ = true;
    // Broken: all that the accelerator holds is recovered, and substitutes, where any are trained, beat the floor.
    bool recovered = all.broken_layers() >= std::max<size_t>(1, all.target.linear_offloaded);
    bool broke = recovered && (stole || options_.budgets.empty());
    if (!must_break && !must_withstand) return;
    if (must_break && all.target.theta < 0.8 && scheme == "soter") return;  // the paper's share, and all
    std::string name = all.target.victim + " under " + scheme;
    if (scheme == "soter") name += ", theta " + FormatFixed(all.target.theta, 2);
    report_.controls.push_back({.name = name,
                                .attack = all.attack,
                                .must_break = must_break,
                                .broke = must_break ? broke : all.broken() || stole,
                                .detail = std::to_string(all.broken_layers()) + " of " +
                                          std::to_string(all.layers.size()) + " operators, " +
                                          std::to_string(all.target.linear_offloaded) + " of them offloaded"});
  }

  Status RunControl(const ControlMask& mask) {
    size_t count = mask.reused_pad ? std::min(options_.queries, RowCount(victim_.query_inputs)) : 2;
    std::vector<Tensor> queries;
    for (size_t q = 0; q < count; ++q) queries.push_back(RowsOf(victim_.query_inputs, q, 1));
    std::vector<Shape> shapes = {queries.front().shape()};
    StaticGraph truth = TRY(Bind(victim_.truth, shapes));
    std::vector<View> loads = TRY(MaskedViews(truth, mask, queries, options_.seed));
    uint32_t operators = static_cast<uint32_t>(LinearLayers(truth).size());
    Target target{.victim = victim_.name,
                  .scheme = "control: " + mask.name,
                  .check = "none",
                  .masked = true,
                  .share = 1,
                  .linear_offloaded = operators,
                  .linear_total = operators};
    std::vector<Outcome> outcomes = TRY(RunAttacks(victim_, target, loads, TRY(ChosenAttacks(options_)), &progress_, nullptr));
    const Outcome& strongest = *std::ranges::min_element(outcomes, {}, &Outcome::mean_useful_adp);
    report_.controls.push_back({.name = mask.name,
                                .attack = strongest.attack,
                                .must_break = true,
                                .broke = outcomes.back().broken(),
                                .detail = std::to_string(strongest.broken_layers()) + " of " + std::to_string(operators) +
                                          " operators, mean ADP " + FormatFixed(strongest.mean_useful_adp(), 3)});
    report_.outcomes.push_back(std::move(outcomes.back()));
    return {};
  }

  const AuditOptions& options_;
  const Victim& victim_;
  Progress& progress_;
  Report& report_;
  std::unique_ptr<ScratchDirectory> scratch_;
  std::vector<Layer> layers_;  // of the ancestor
  std::vector<StealingCurve> floor_;
  bool withstood_ = true;  // no substitute of the current target came above the floor
};

Result<Victim> TrainedVictim(const AuditOptions& options, const std::string& name, Progress& progress) {
  fs::path home = options.victims_directory.empty() ? fs::path(options.report) / "victims" : fs::path(options.victims_directory);
  fs::path directory = fs::absolute(home / name);
  if (!fs::exists(directory / "victim.json")) {
    progress.Show("training " + name, 0);
    std::vector<std::string> command = {"/usr/bin/python3", (Scripts() / "train.py").string(), name, directory.string(),
                                        "--seed", std::to_string(options.seed)};
    if (options.small) command.push_back("--small");
    TRY(RunProgram(command));
  }
  return LoadVictim(directory);
}

}  // namespace

Result<Report> RunCampaign(const AuditOptions& options, Progress& progress) {
  Clock::time_point start = Clock::now();
  Report report{.seed = options.seed, .queries = options.queries};
  for (const std::string& name : options.victims) {
    Victim victim = TRY(TrainedVictim(options, name, progress));
    VictimAudit audit(options, victim, progress, report);
    TRY(audit.Run());
    // The controls' masks are the same for every victim; they need the whole suite.
    if (&name == &options.victims.front() && options.attacks.empty()) TRY(audit.RunControls());
  }
  report.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return report;
}

}  // namespace soter::audit
