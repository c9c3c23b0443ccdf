#include "tools/bench/other_reports.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tools/cli/text.h"

namespace soter::bench {
namespace {

using nlohmann::json;

constexpr double kPoints = 0.02, kDeviations = 2;  // what two stealing accuracies must differ by
constexpr double kSignificance = 0.01;             // over all operators
constexpr double kSpiked = 0.5, kSmooth = 0.05;    // shares of repeated distances

std::string Percent(double share) { return FormatFixed(100 * share, 1) + "%"; }

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2g", value);
  return text;
}

Result<json> ArrayOf(std::string_view text, const char* name, const char* program) {
  json report = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object() || !report.contains(name) || !report[name].is_array())
    return InvalidArgument(std::string("it has no array \"") + name + "\"; the JSON file of " + program + " is needed");
  return report[name];
}

std::vector<double> NumbersOf(const json& object, const char* name) {
  std::vector<double> numbers;
  if (!object.is_object() || !object.contains(name) || !object[name].is_array()) return numbers;
  for (const json& number : object[name])
    if (number.is_number()) numbers.push_back(number.get<double>());
  return numbers;
}

std::string TextOf(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : "";
}

double NumberOf(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_number() ? object[name].get<double>() : 0;
}

struct Level {
  double theta = -1, mean = 0, deviation = 0;
};

Level LevelOf(double theta, const std::vector<double>& accuracy) {
  double mean = 0, square = 0;
  for (double value : accuracy) mean += value / static_cast<double>(accuracy.size());
  for (double value : accuracy) square += (value - mean) * (value - mean);
  double deviation = accuracy.size() < 2 ? 0 : std::sqrt(square / static_cast<double>(accuracy.size() - 1));
  return {theta, mean, deviation};
}

// By victim, labels and budget, the level of each scheme, at its greatest theta.
using Levels = std::map<std::tuple<std::string, std::string, double>, std::map<std::string, Level>>;

Levels LevelsOf(const json& curves) {
  Levels levels;
  for (const json& curve : curves) {
    std::vector<double> accuracy = NumbersOf(curve, "accuracy");
    if (TextOf(curve, "start") != "guess" || accuracy.empty()) continue;
    Level& level = levels[{TextOf(curve, "victim"), TextOf(curve, "labels"), NumberOf(curve, "queries")}][TextOf(curve, "scheme")];
    if (NumberOf(curve, "theta") > level.theta) level = LevelOf(NumberOf(curve, "theta"), accuracy);
  }
  return levels;
}

// less: soter must be lower by more than chance; else no higher by more than chance.
Claim CompareStealing(const Levels& levels, const char* id, const char* other, bool less) {
  Claim claim{.id = id};
  int fails = 0, holds = 0;
  for (const auto& [place, schemes] : levels) {
    auto soter = schemes.find("soter"), against = schemes.find(other);
    if (soter == schemes.end() || against == schemes.end()) continue;
    double chance = kPoints + kDeviations * std::max(soter->second.deviation, against->second.deviation);
    double difference = soter->second.mean - against->second.mean;
    ++((less ? difference < -chance : difference <= chance) ? holds : fails);
    const auto& [victim, labels, budget] = place;
    claim.numbers += (claim.numbers.empty() ? "" : "; ") + victim + ", " + labels + " labels, " + FormatFixed(budget, 0) +
                     " queries: soter (theta " + FormatFixed(soter->second.theta, 1) + ") " + Percent(soter->second.mean) + ", " +
                     other + " " + Percent(against->second.mean);
  }
  if (holds + fails > 0) claim.verdict = fails > 0 ? Verdict::kRefuted : Verdict::kReproduced;
  else claim.numbers = std::string("the audit attacked no victim under both soter and ") + other;
  return claim;
}

// KsP is the probability of distributions as different as the report says: what it holds, not computed anew.
double KsP(const json& row) { return row.contains("ks_oblivious") ? NumberOf(row["ks_oblivious"], "p") : 0; }

Claim Judged(const char* id, int holds, int fails, std::string numbers) {
  Claim claim{.id = id, .numbers = std::move(numbers)};
  if (holds + fails > 0) claim.verdict = fails > 0 ? Verdict::kRefuted : Verdict::kReproduced;
  else claim.numbers = "the report has no distances; they are part \"distances\" of soter bench --integrity";
  return claim;
}

Claim NormalDistances(const json& rows) {
  int holds = 0, fails = 0;
  std::string numbers;
  const double least_p = kSignificance / std::max<double>(1, static_cast<double>(rows.size()));
  for (const json& row : rows) {
    std::vector<double> oblivious = NumbersOf(row, "oblivious");
    if (oblivious.empty()) continue;
    double normal = NormalityP(oblivious), same = KsP(row);
    ++(normal >= least_p && same >= least_p ? holds : fails);
    numbers += (numbers.empty() ? "" : "; ") + TextOf(row, "operator") + ": normal p " + Short(normal) + ", as real inputs p " +
               Short(same);
  }
  return Judged("C8", holds, fails, numbers);
}

Claim SpikedDistances(const json& rows) {
  int holds = 0, fails = 0;
  std::string numbers;
  for (const json& row : rows) {
    std::vector<double> distances = NumbersOf(row, "fixed");
    if (distances.empty()) continue;
    double fixed = RepeatedShare(std::move(distances)), real = RepeatedShare(NumbersOf(row, "real"));
    ++(fixed >= kSpiked && real <= kSmooth ? holds : fails);
    numbers += (numbers.empty() ? "" : "; ") + TextOf(row, "operator") + ": repeated distances " + Percent(fixed) +
               " (real inputs " + Percent(real) + ")";
  }
  return Judged("C9", holds, fails, numbers);
}

}  // namespace

double NormalityP(const std::vector<double>& sample) {
  double mean = 0, second = 0, third = 0, fourth = 0;
  const auto count = static_cast<double>(sample.size());
  for (double value : sample) mean += value / count;
  for (double value : sample) {
    double d = value - mean;
    second += d * d / count, third += d * d * d / count, fourth += d * d * d * d / count;
  }
  if (!(second > 0)) return 0;
  double skewness = third / std::pow(second, 1.5), excess = fourth / (second * second) - 3;
  return std::exp(-count / 6 * (skewness * skewness + excess * excess / 4) / 2);  // chi-squared of 2 degrees
}

double RepeatedShare(std::vector<double> sample) {
  if (sample.empty()) return 0;
  std::sort(sample.begin(), sample.end());
  size_t repeated = 0;
  for (size_t i = 0; i < sample.size(); ++i)
    repeated += (i > 0 && sample[i] == sample[i - 1]) || (i + 1 < sample.size() && sample[i] == sample[i + 1]);
  return static_cast<double>(repeated) / static_cast<double>(sample.size());
}

Result<std::vector<Claim>> ClaimsOfAudit(std::string_view text) {
  Levels levels = LevelsOf(TRY(ArrayOf(text, "stealing", "soter audit")));
  return std::vector{CompareStealing(levels, "C6", "ennclave", false), CompareStealing(levels, "C7", "aegisdnn", true)};
}

Result<std::vector<Claim>> ClaimsOfIntegrity(std::string_view text) {
  json rows = TRY(ArrayOf(text, "distances", "soter bench --integrity"));
  return std::vector{NormalDistances(rows), SpikedDistances(rows)};
}

}  // namespace soter::bench
