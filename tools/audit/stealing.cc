#include "tools/audit/stealing.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tools/audit/guess_files.h"

namespace soter::audit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Status WriteJob(const fs::path& path, const fs::path& victim, size_t observed, std::span<const StealingRun> runs) {
  Json list = Json::array();
  for (size_t i = 0; i < runs.size(); ++i) {
    const StealingRun& run = runs[i];
    list.push_back({{"id", std::to_string(i)}, {"start", run.start}, {"guess", nullptr}, {"budget", run.budget},
                    {"labels", run.labels}, {"seed", run.seed}});
    if (!run.guess.empty()) list.back()["guess"] = run.guess.string();
  }
  std::ofstream file(path);
  file << Json{{"victim", victim.string()}, {"observed", observed}, {"runs", list}}.dump() << "\n";
  file.close();
  if (!file) return Unavailable("cannot write " + path.string());
  return {};
}

Result<std::vector<StealingResult>> ReadResults(const fs::path& path, std::span<const StealingRun> runs) {
  std::ifstream file(path);
  Json json = Json::parse(file, nullptr, false);
  if (!json.is_array() || json.size() != runs.size()) return Unavailable(path.string() + ": is not what steal.py writes");
  std::vector<StealingResult> results;
  for (size_t i = 0; i < runs.size(); ++i)
    results.push_back({runs[i], json[i].value("accuracy", 0.0), json[i].value("fidelity", 0.0),
                       json[i].value("membership", 0.5)});
  return results;
}

void AddRuns(const StealingEffort& effort, const std::string& start, const fs::path& guess, std::vector<StealingRun>& runs) {
  for (uint64_t seed : effort.seeds) {
    for (size_t budget : effort.budgets) runs.push_back({start, guess, budget, "soft", seed});
    if (effort.thorough && !effort.budgets.empty())
      runs.push_back({start, guess, std::ranges::max(effort.budgets), "hard", seed});
  }
}

}  // namespace

Result<std::vector<StealingResult>> Steal(const fs::path& scripts, const fs::path& victim, std::span<const StealingRun> runs,
                                          size_t observed, const fs::path& scratch) {
  std::error_code error;
  fs::create_directories(scratch, error);
  fs::path job = scratch / "job.json", result = scratch / "result.json";
  TRY(WriteJob(job, victim, observed, runs));
  TRY(RunProgram({"/usr/bin/python3", (scripts / "steal.py").string(), job.string(), result.string()}));
  return ReadResults(result, runs);
}

std::vector<StealingRun> FloorRuns(const StealingEffort& effort) {
  std::vector<StealingRun> runs;
  for (const char* start : {"public", "head", "random"}) AddRuns(effort, start, {}, runs);
  if (effort.thorough) AddRuns(effort, "larger", {}, runs);
  return runs;
}

std::vector<StealingRun> GuessRuns(const StealingEffort& effort, const fs::path& guess) {
  std::vector<StealingRun> runs;
  AddRuns(effort, "guess", guess, runs);
  return runs;
}

std::vector<StealingCurve> Curves(const std::string& victim, const std::string& scheme, double theta,
                                  std::span<const StealingResult> results) {
  std::map<std::tuple<std::string, size_t, std::string>, StealingCurve> curves;
  for (const StealingResult& result : results) {
    const StealingRun& run = result.run;
    StealingCurve& curve = curves[{run.start, run.budget, run.labels}];
    curve.victim = victim, curve.scheme = scheme, curve.theta = theta;
    curve.start = run.start, curve.budget = run.budget, curve.labels = run.labels;
    curve.accuracy.push_back(result.accuracy);
    curve.fidelity.push_back(result.fidelity);
    curve.membership.push_back(result.membership);
  }
  std::vector<StealingCurve> list;
  for (auto& [key, curve] : curves) list.push_back(std::move(curve));
  return list;
}

FloorLevel FloorAt(std::span<const StealingCurve> floor, size_t budget, const std::string& labels) {
  FloorLevel best;
  for (const StealingCurve& curve : floor) {
    if (curve.budget != budget || curve.labels != labels || curve.start == "guess") continue;
    if (MeanOf(curve.accuracy) > best.accuracy) best = {MeanOf(curve.accuracy), DeviationOf(curve.accuracy), curve.start};
  }
  return best;
}

}  // namespace soter::audit
