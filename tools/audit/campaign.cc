#include "tools/audit/campaign.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <set>

#include "audit/controls/masks.h"
#include "tools/audit/active_campaign.h"
#include "tools/audit/guess_files.h"
#include "tools/audit/kept.h"
#include "tools/audit/placing.h"
#include "tools/audit/run_attacks.h"
#include "tools/audit/stealing.h"
#include "tools/cli/options.h"
#include "tools/cli/text.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kAboveFloor = 0.02;  // and two deviations
constexpr size_t kActiveBatch = 128;  // queries at once of an accelerator that chooses its answers
constexpr size_t kFewUnits = 8;       // that it walks in a small audit

// Scripts is where audit/victims lies: training is Python's (docs/decisions/0018-training-for-the-audit.md).
fs::path Scripts() {
  const char* elsewhere = std::getenv("SOTER_AUDIT_SCRIPTS");
  return fs::path(elsewhere != nullptr ? elsewhere : SOTER_AUDIT_SCRIPTS);
}

// The networks that ennclave deploys get less effort: there is one for each theta, each with a floor of its own.
StealingEffort EffortOf(const AuditOptions& options, const Victim& victim, std::vector<size_t> budgets) {
  StealingEffort effort{.budgets = std::move(budgets), .seeds = {}, .thorough = !options.small};
  if (victim.directory.filename() != victim.name) effort.thorough = false;
  for (size_t i = 0; i < options.seeds; ++i) effort.seeds.push_back(options.seed + i);
  return effort;
}

std::vector<size_t> BudgetsFor(const AuditOptions& options, const Victim& victim) {
  if (!options.steal) return {};
  std::vector<size_t> budgets = options.budgets.empty() ? victim.budgets : options.budgets;
  if (options.small) budgets.resize(1);
  return budgets;
}

// ConditionsOf is all that decides what a part of the report says.
Result<std::string> ConditionsOf(const AuditOptions& options, const Victim& victim) {
  std::string text = "1;" + std::to_string(options.seed) + ";" + std::to_string(options.queries) + ";" +
                     std::to_string(options.seeds) + ";" + options.check + ";" + options.attack_program + ";" +
                     (options.small ? "small;" : ";");
  for (const Attack& attack : TRY(ChosenAttacks(options))) text += attack.name + ",";
  for (size_t budget : BudgetsFor(options, victim)) text += ";" + std::to_string(budget);
  return text + ";" + victim.report;
}

// VictimAudit is everything that is done to one victim.
class VictimAudit {
 public:
  // `parts` is the directory in which what this victim gave is kept.
  VictimAudit(const AuditOptions& options, const Victim& victim, fs::path parts, Progress& progress, Report& report)
      : options_(options), victim_(victim), parts_(std::move(parts)), budgets_(BudgetsFor(options, victim)),
        progress_(progress), report_(report) {}

  // Prepare measures the black-box floor, which every scheme is held against.
  Status Prepare() {
    scratch_ = TRY(ScratchDirectory::Make());
    std::vector<Shape> shapes = {RowsOf(victim_.query_inputs, 0, 1).shape()};
    layers_ = LinearLayers(TRY(Bind(victim_.ancestor, shapes)));
    size_t before = report_.stealing.size();
    TRY(Keep("black-box", [&] { return MeasureFloor(); }));
    floor_.assign(report_.stealing.begin() + static_cast<ptrdiff_t>(before), report_.stealing.end());
    return {};
  }

  Status Run(const std::string& scheme, double theta) {
    std::string name = HasTheta(SchemeFromName(scheme)) ? scheme + "-" + FormatFixed(theta, 2) : scheme;
    return Keep(name, [&] { return AuditScheme(scheme, theta); });
  }

  // RunControls attacks the masks that must break.
  Status RunControls() {
    return Keep("controls", [&]() -> Status {
      for (const ControlMask& mask : ControlMasks()) TRY(RunControl(mask));
      return {};
    });
  }

  size_t operators() const { return layers_.size(); }

 private:
  // Keep does `work`, which adds to the report, unless an earlier run has kept what it gave.
  Status Keep(const std::string& name, const std::function<Status()>& work) {
    fs::path path = parts_ / (name + ".json");
    std::string conditions = TRY(ConditionsOf(options_, victim_));
    if (std::optional<Report> part = ReadPart(path, conditions)) {
      Append(std::move(*part), report_);
      return {};
    }
    ReportSizes before = SizesOf(report_);
    Clock::time_point start = Clock::now();
    TRY(work());
    Report part = Since(report_, before);
    part.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    report_.seconds += part.seconds;
    return WritePart(path, conditions, part);
  }

  Status MeasureFloor() {
    if (budgets_.empty()) return {};
    progress_.Show(victim_.name + ": the black-box floor", 0);
    std::vector<StealingRun> runs = FloorRuns(EffortOf(options_, victim_, budgets_));
    std::vector<StealingCurve> floor = TRY(Stolen("black box", 0, runs, scratch_->path() / "floor"));
    for (StealingCurve& curve : floor) {
      curve.victim = victim_.directory.filename().string();  // a victim made for ennclave has a floor of its own
      curve.floor = FloorAt(floor, curve.budget, curve.labels).accuracy;
    }
    std::ranges::move(floor, std::back_inserter(report_.stealing));
    return {};
  }

  Result<std::vector<StealingCurve>> Stolen(const std::string& scheme, double theta, std::span<const StealingRun> runs,
                                            const fs::path& scratch) {
    std::vector<StealingResult> results =
        TRY(Steal(Scripts(), victim_.directory, runs, RowCount(Queries()), scratch));
    std::vector<StealingCurve> curves = Curves(victim_.name, scheme, theta, results);
    for (StealingCurve& curve : curves) curve.deployed = victim_.accuracy;
    return curves;
  }

  // Queries are what the adversary watches: no more than it may ask at the least budget.
  Tensor Queries() const {
    size_t count = std::min(options_.queries, RowCount(victim_.query_inputs));
    if (!budgets_.empty()) count = std::min(count, std::ranges::min(budgets_));
    return RowsOf(victim_.query_inputs, 0, count);
  }

  Status AuditScheme(const std::string& scheme, double theta) {
    std::string label = scheme + "-" + FormatFixed(theta, 2);
    fs::path record = scratch_->path() / label / "record";
    std::error_code error;
    fs::create_directories(record.parent_path(), error);
    Tensor queries = Queries();
    control::Settings settings = TRY(SettingsFor(options_, victim_, scheme, theta, layers_.size()));
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
    if (budgets_.empty()) return {};
    progress_.Show(target.victim + ", " + target.scheme + ": substitutes", 0);
    TRY(WriteGuess(scratch / "guess", layers_, guess));
    std::vector<StealingRun> runs = GuessRuns(EffortOf(options_, victim_, budgets_), scratch / "guess");
    std::vector<StealingCurve> curves = TRY(Stolen(target.scheme, target.theta, runs, scratch / "steal"));
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
    // Broken: as much is recovered as the accelerator holds, and where that is every operator, substitutes beat the floor.
    // With fewer they need not: an easy victim's floor is too close.
    bool recovered = all.broken_layers() >= std::max<size_t>(1, all.target.linear_offloaded);
    bool must_steal = all.broken_layers() == all.layers.size() && !budgets_.empty();
    bool broke = recovered && (stole || !must_steal);
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
  fs::path parts_;
  std::vector<size_t> budgets_;
  Progress& progress_;
  Report& report_;
  std::unique_ptr<ScratchDirectory> scratch_;
  std::vector<Layer> layers_;  // of the ancestor
  std::vector<StealingCurve> floor_;
  bool withstood_ = true;  // no substitute of the current target came above the floor
};

// Trained has audit/victims/train.py write a victim's directory, unless one that is finished is there.
Result<Victim> Trained(const std::string& name, const fs::path& directory, const std::vector<std::string>& arguments,
                       Progress& progress) {
  if (!fs::exists(directory / "victim.json")) {
    progress.Show("training " + directory.filename().string(), 0);
    std::vector<std::string> command = {"/usr/bin/python3", (Scripts() / "train.py").string()};
    std::ranges::copy(arguments, std::back_inserter(command));
    TRY(RunProgram(command));
  }
  return LoadVictim(name, directory);
}

// Campaign is the audit of every victim.
class Campaign {
 public:
  Campaign(const AuditOptions& options, Progress& progress, const Save& save)
      : options_(options), progress_(progress), save_(save), report_{.seed = options.seed, .queries = options.queries} {}

  Result<Report> Run() {
    for (const std::string& name : options_.victims) TRY(AuditVictim(name));
    report_.complete = true;
    TRY(save_(report_));
    return std::move(report_);
  }

 private:
  fs::path DirectoryOf(const std::string& name) const {
    bool ours = options_.victims_directory.empty();
    return fs::absolute((ours ? fs::path(options_.report) / "victims" : fs::path(options_.victims_directory)) / name);
  }

  fs::path PartsOf(const std::string& name) const { return fs::path(options_.report) / "parts" / name; }

  Status AuditVictim(const std::string& name) {
    std::vector<std::string> arguments = {name, DirectoryOf(name).string(), "--seed", std::to_string(options_.seed)};
    if (options_.small) arguments.push_back("--small");
    Victim victim = TRY(Trained(name, DirectoryOf(name), arguments, progress_));
    VictimAudit audit(options_, victim, PartsOf(name), progress_, report_);
    TRY(audit.Prepare());
    for (const std::string& scheme : options_.schemes) {
      if (scheme == "ennclave") TRY(AuditEnnclave(name, audit.operators()));
      else TRY(AuditScheme(audit, scheme));
    }
    // The controls' masks are the same for every victim; they need the whole suite.
    if (name != options_.victims.front() || !options_.attacks.empty()) return {};
    TRY(audit.RunControls());
    return save_(report_);
  }

  Status AuditScheme(VictimAudit& audit, const std::string& scheme) {
    for (double theta : options_.thetas) {
      TRY(audit.Run(scheme, theta));
      TRY(save_(report_));
      if (!HasTheta(SchemeFromName(scheme))) break;
    }
    return {};
  }

  // Under ennclave another network is deployed for each theta: its public layers are the ancestor's, and only the
  // others were trained on private data. It has a floor of its own.
  Status AuditEnnclave(const std::string& name, size_t operators) {
    std::set<uint32_t> done;
    for (double theta : options_.thetas) {
      uint32_t kept = PrivateLayers(theta, operators);
      if (!done.insert(kept).second) continue;
      std::string variant = name + "-ennclave-" + std::to_string(kept);
      std::vector<std::string> arguments = {DirectoryOf(variant).string(), "--private-layers", std::to_string(kept),
                                            "--from", DirectoryOf(name).string()};
      Victim victim = TRY(Trained(name, DirectoryOf(variant), arguments, progress_));
      VictimAudit audit(options_, victim, PartsOf(variant), progress_, report_);
      TRY(audit.Prepare());
      TRY(audit.Run("ennclave", 1 - static_cast<double>(kept) / static_cast<double>(operators)));
      TRY(save_(report_));
    }
    return {};
  }

  const AuditOptions& options_;
  Progress& progress_;
  const Save& save_;
  Report report_;
};

}  // namespace

Result<Report> RunCampaign(const AuditOptions& options, Progress& progress, const Save& save) {
  return Campaign(options, progress, save).Run();
}

}  // namespace soter::audit
