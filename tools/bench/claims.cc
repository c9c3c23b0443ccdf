#include "tools/bench/claims.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tools/bench/paper.h"
#include "tools/cli/text.h"

namespace soter::bench {

namespace {

constexpr std::array<const char*, 9> kTexts = {
    "MLCapsule is the slowest on all six networks",
    "the partition systems are close to each other on VGG19",
    "SOTER takes a little longer than AegisDNN on the other networks",
    "latency grows with the input",
    "latency falls as theta grows",
    "stealing from SOTER at a high theta succeeds no better than from eNNclave",
    "stealing from SOTER succeeds less than from AegisDNN",
    "distances between oblivious fingerprints are normal, as those between inputs are",
    "distances between fixed fingerprints show spikes"};
constexpr size_t kPaperNetworks = 6;
constexpr double kClose = 1.1;          // "close": within 10%
constexpr double kALittle = 1.27;       // the paper's own greatest ratio of SOTER to AegisDNN

constexpr std::array<const char*, 4> kVerdicts = {"reproduced", "refuted", "not measurable here", "not measured"};

std::string Times(double ratio) { return FormatFixed(ratio, 2) + "x"; }

// One accelerator and enclave on the same processors say nothing about a faster accelerator.
bool HasOtherAccelerator(const Results& results) { return results.modelled() || results.backend == "cuda"; }

// Evidence is what speaks for and against a claim.
struct Evidence {
  int holds = 0, fails = 0;
  std::string numbers;

  void Add(bool hold, const std::string& text) {
    ++(hold ? holds : fails);
    numbers += (numbers.empty() ? "" : "; ") + text;
  }
};

Claim Judge(const Results& results, size_t number, const Evidence& evidence, bool needs_accelerator) {
  Claim claim{.id = "C" + std::to_string(number), .text = kTexts[number - 1], .numbers = evidence.numbers};
  if (evidence.holds + evidence.fails == 0) return claim;
  claim.verdict = evidence.fails > 0 ? Verdict::kRefuted : Verdict::kReproduced;
  if (needs_accelerator && !HasOtherAccelerator(results)) {
    claim.verdict = Verdict::kNotMeasurable;
    claim.numbers = "the accelerator is the enclave's own processor; there: " + claim.numbers;
  } else if (results.modelled()) {
    claim.numbers = "modelled: " + claim.numbers;
  }
  return claim;
}

// The first measurement of each of the paper's networks under soter, at the default batch and size.
std::vector<const Measurement*> PaperRows(const Results& results) {
  std::vector<const Measurement*> rows;
  std::set<std::string> seen;
  for (const Measurement& m : results.measurements)
    if (m.configuration.scheme == "soter" && IsPaperModel(m.configuration.model) && Summarise(m) &&
        seen.insert(m.configuration.model).second)
      rows.push_back(&m);
  return rows;
}

Claim MlcapsuleSlowest(const Results& results) {
  Evidence evidence;
  for (const Measurement* soter : PaperRows(results))
    for (const char* scheme : {"soter", "aegisdnn", "insecure"}) {
      const Measurement* other = Counterpart(results, soter->configuration, scheme);
      std::optional<Ratio> ratio = RatioOf(Counterpart(results, soter->configuration, "mlcapsule"), other);
      if (ratio) evidence.Add(ratio->median > 1, soter->configuration.model + " " + Times(ratio->median) + " of " + scheme);
    }
  Claim claim = Judge(results, 1, evidence, true);
  size_t networks = PaperRows(results).size();
  if (claim.verdict == Verdict::kReproduced && networks < kPaperNetworks) {
    claim.verdict = Verdict::kNotMeasured;  // no counterexample, but not all of them were there
    claim.numbers = "on " + std::to_string(networks) + " of 6 networks: " + claim.numbers;
  }
  return claim;
}

Claim CloseOnVgg(const Results& results) {
  Evidence evidence;
  for (const Measurement* soter : PaperRows(results)) {
    if (soter->configuration.model != "vgg19") continue;
    for (const char* scheme : {"aegisdnn", "ennclave"}) {
      std::optional<Ratio> ratio = RatioOf(soter, Counterpart(results, soter->configuration, scheme));
      if (!ratio) continue;
      bool close = ratio->median < kClose && ratio->median > 1 / kClose;
      evidence.Add(close, "soter " + Times(ratio->median) + " of " + scheme);
    }
  }
  return Judge(results, 2, evidence, true);
}

Claim SlightlyAboveAegisdnn(const Results& results) {
  Evidence evidence;
  for (const Measurement* soter : PaperRows(results)) {
    if (soter->configuration.model == "vgg19") continue;
    std::optional<Ratio> ratio = RatioOf(soter, Counterpart(results, soter->configuration, "aegisdnn", kSameSet));
    if (ratio) evidence.Add(ratio->median >= 1 && ratio->median <= kALittle,
                            soter->configuration.model + " " + Times(ratio->median) + " with the same protected set");
  }
  return Judge(results, 3, evidence, true);
}

// Groups measurements that differ in one number only, and looks whether latency rises or falls with it.
template <typename Number>
Evidence Trend(const Results& results, Number Configuration::* number, bool grows, const char* name) {
  std::map<std::string, std::map<double, std::pair<double, std::string>>> groups;
  for (const Measurement& m : results.measurements) {
    std::optional<Summary> summary = Summarise(m);
    if (!summary || (!grows && m.configuration.scheme != "soter")) continue;
    Configuration same = m.configuration;
    same.*number = {};
    std::string key = same.model + ", " + same.scheme + (same.variant.empty() ? "" : ", " + same.variant);
    if (HasTheta(same) && grows) key += ", theta " + FormatFixed(same.theta, 2);
    key += ", batch " + std::to_string(same.batch) + ", size " + std::to_string(same.input_size);
    groups[key][static_cast<double>(m.configuration.*number)] = {summary->median, ""};
  }
  Evidence evidence;
  for (const auto& [key, values] : groups) {
    if (values.size() < 2) continue;
    double first = values.begin()->second.first, last = values.rbegin()->second.first;
    evidence.Add(grows ? last > first : last < first,
                 key + ": " + FormatFixed(first, 2) + " to " + FormatFixed(last, 2) + " ms for " + name + " " +
                     FormatFixed(values.begin()->first, 1) + " to " + FormatFixed(values.rbegin()->first, 1));
  }
  return evidence;
}

}  // namespace

const char* VerdictName(Verdict verdict) { return kVerdicts[static_cast<size_t>(verdict)]; }

std::vector<Claim> JudgeClaims(const Results& results, const std::vector<Claim>& others) {
  std::vector<Claim> claims = {MlcapsuleSlowest(results), CloseOnVgg(results), SlightlyAboveAegisdnn(results)};
  Evidence input = Trend(results, &Configuration::input_size, true, "input size");
  Evidence batch = Trend(results, &Configuration::batch, true, "batch");
  input.holds += batch.holds, input.fails += batch.fails;
  input.numbers += (input.numbers.empty() || batch.numbers.empty() ? "" : "; ") + batch.numbers;
  claims.push_back(Judge(results, 4, input, false));
  claims.push_back(Judge(results, 5, Trend(results, &Configuration::theta, false, "theta"), true));
  for (size_t number = 6; number <= kTexts.size(); ++number) {
    Claim claim{.id = "C" + std::to_string(number), .text = kTexts[number - 1]};
    claim.numbers = number <= 7 ? "give the JSON of soter audit with --audit-json"
                                : "give the JSON of soter bench --integrity with --integrity-json";
    auto found = std::find_if(others.begin(), others.end(), [&](const Claim& other) { return other.id == claim.id; });
    if (found != others.end()) claim.verdict = found->verdict, claim.numbers = found->numbers;
    claims.push_back(claim);
  }
  return claims;
}

}  // namespace soter::bench
