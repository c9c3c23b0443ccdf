#include "tools/bench/results.h"

#include <algorithm>

#include "tools/cli/statistics.h"
#include "tools/cli/text.h"

namespace soter::bench {

namespace {

std::optional<double> RoundMedian(const std::vector<control::Latency>& round) {
  if (round.empty()) return std::nullopt;
  return soter::Summarise(round).median;
}

double Middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[(values.size() - 1) / 2];
}

}  // namespace

bool HasTheta(const Configuration& configuration) {
  return configuration.scheme == "soter" || configuration.variant == kSameSet;
}

std::string Label(const Configuration& configuration) {
  std::string label = configuration.scheme + (configuration.variant.empty() ? "" : ", " + configuration.variant);
  if (HasTheta(configuration)) label += ", theta " + FormatFixed(configuration.theta, 2);
  if (configuration.check != "none") label += ", " + configuration.check;
  return label;
}

std::optional<Summary> Summarise(const Measurement& measurement) {
  std::vector<control::Latency> all;
  for (const auto& round : measurement.rounds) all.insert(all.end(), round.begin(), round.end());
  if (all.empty()) return std::nullopt;
  LatencySummary summary = soter::Summarise(all);
  return Summary{summary.parts, summary.median, summary.p10, summary.p90};
}

double MedianOfRound(const Measurement& measurement, size_t round) {
  return soter::Summarise(measurement.rounds[round]).median;
}

const Measurement* Find(const Results& results, const Configuration& configuration) {
  auto found = std::find_if(results.measurements.begin(), results.measurements.end(),
                            [&](const Measurement& m) { return m.configuration == configuration; });
  return found == results.measurements.end() ? nullptr : &*found;
}

std::optional<Ratio> RatioOf(const Measurement* measurement, const Measurement* base) {
  if (measurement == nullptr || base == nullptr) return std::nullopt;
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(measurement->rounds.size(), base->rounds.size()); ++i) {
    std::optional<double> above = RoundMedian(measurement->rounds[i]), below = RoundMedian(base->rounds[i]);
    if (above && below && *below > 0) ratios.push_back(*above / *below);
  }
  if (ratios.empty()) return std::nullopt;
  auto [low, high] = std::minmax_element(ratios.begin(), ratios.end());
  return Ratio{Middle(ratios), *low, *high};
}

const Measurement* Counterpart(const Results& results, const Configuration& configuration, const std::string& scheme,
                               const std::string& variant) {
  for (const Measurement& m : results.measurements) {
    const Configuration& c = m.configuration;
    bool same = c.model == configuration.model && c.batch == configuration.batch && c.input_size == configuration.input_size;
    bool same_set = variant.empty() || c.theta == configuration.theta;
    if (same && same_set && c.scheme == scheme && c.variant == variant && m.skipped.empty()) return &m;
  }
  return nullptr;
}

}  // namespace soter::bench
