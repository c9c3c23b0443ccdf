#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace soter::integrity {

// CampaignOptions say how much is measured; the defaults take about a minute, the full campaign an hour.
struct CampaignOptions {
  std::string report;  // the directory that the report goes to
  std::vector<std::string> models = {"alexnet"};  // names of the zoo whose cost is measured
  std::vector<std::string> parts = {"cost", "detection", "bugs", "false-alarms", "span", "distances"};
  uint64_t runs = 1000, large_runs = 50;  // of each attack: on small operators and networks, and on VGG19's
  uint64_t columns = 1'000'000;  // honest ones, for each family and distribution
  uint64_t queries = 150;        // of the attack on the cornerstones' span
  uint64_t honest_runs = 20;     // of each network with each kind of input
  uint64_t seed = 1;             // of data, never of probes
  uint32_t rounds = 3, repeat = 5, threads = 2;
};

// Stopped: the user pressed Ctrl-C. Every part then ends early, and what was measured is reported as such.
bool Stopped();
void StopOnInterrupt();
// EndByInterrupt ends this process as the signal would have, so that a shell sees that it did.
void EndByInterrupt();

// Say prints one line of progress to standard error.
void Say(const std::string& line);

// Part 1: what checks cost.
struct CostRow {
  std::string model, scheme;
  double trusted_ms = 0, switch_ms = 0, check_ms = 0;  // of the enclave, while the accelerator is idle
  double mlcapsule_ms = 0;                             // the same network in the enclave, in the same round
  uint64_t checks = 0, crossed = 0;                     // results checked, and bytes both ways, per inference
};
std::vector<CostRow> MeasureCost(const CampaignOptions& options);

// What the check of each operator costs by itself, and reading its operands once; operators of one shape are one row.
struct OperatorRow {
  std::string model, operator_name;
  uint64_t count = 0, bytes = 0;         // of all of them
  double check_ms = 0, read_ms = 0;      // of all of them
};
std::vector<OperatorRow> MeasureOperators(const CampaignOptions& options);

// Part 2: how often one tampered result is caught, with fresh probes each time.
struct DetectionRow {
  std::string operator_name, attack;
  double size = 0;   // largest |e| of a column over its tolerance
  uint64_t runs = 0, caught = 0;
  double bound = 0;  // the least share that is caught, by the theorem
};
std::vector<DetectionRow> MeasureDetection(const CampaignOptions& options);

// Part 3: how often each of the hostile worker's lies is caught within a whole network.
struct BugRow {
  std::string model, bug, scheme, check;
  uint64_t runs = 0, changed = 0, caught = 0;  // changed: the answer would have been another
};
std::vector<BugRow> MeasureBugs(const CampaignOptions& options);

// Part 4: honest results.
struct FalseAlarmRow {
  std::string family, inputs;
  int64_t columns = 0, alarms = 0;
  double largest = 0, factor = 0;  // residual in units of u sqrt(k + 64) scale, and the constant
};
std::vector<FalseAlarmRow> MeasureFalseAlarms(const CampaignOptions& options);

// Whole networks with an honest accelerator.
struct HonestRow {
  std::string model, inputs;
  uint64_t queries = 0, alarms = 0;
};
std::vector<HonestRow> MeasureHonestNetworks(const CampaignOptions& options);

// The smallest change of a single element that is caught with 99%, over the checked operators of a network.
struct SensitivityRow {
  std::string model;
  uint64_t operators = 0, effects = 0;                 // checked; whose effect on the answer was measured
  double median_of_rms = 0, largest_of_rms = 0;        // in units of the root mean square of the result's elements
  double largest_of_largest = 0;                       // in units of the result's largest element
  double largest_of_margin = 0;  // what it does to an output, in units of the distance between the two largest
};
std::vector<SensitivityRow> MeasureSensitivity(const CampaignOptions& options);

// Milliseconds from a query to its failure, by which operator's result was wrong.
struct TimingSample {
  std::string wrong;
  std::vector<double> ms;
};
std::vector<TimingSample> MeasureTiming(const CampaignOptions& options);

// Part 5: the attack on the span of the cornerstones.
struct SpanRow {
  std::string model, check;
  uint64_t queries = 0, wrong_accepted = 0, detected = 0;
  uint64_t first_wrong = 0;    // query whose answer was the first wrong one that was accepted; 0: none
  uint64_t found_after = 0;    // requests until the span was known at the first operator that was attacked; 0: never
  uint64_t dimension = 0;      // of the span found
};
std::vector<SpanRow> MeasureSpanAttack(const CampaignOptions& options);

// Part 6: figure 3 of the paper's talk: distances between inputs, as the accelerator sees them.
struct DistanceSample {
  std::string operator_name;
  std::vector<double> real, oblivious, fixed;  // distances between pairs of each kind
};
std::vector<DistanceSample> MeasureDistances(const CampaignOptions& options);

// KolmogorovSmirnov: the largest difference of two empirical distributions, and the probability of one as large from
// equal ones (asymptotic; Press et al., Numerical Recipes, 14.3).
struct KsTest {
  double statistic = 0, p_value = 1;
};
KsTest KolmogorovSmirnov(std::vector<double> a, std::vector<double> b);

struct Campaign {
  std::vector<CostRow> cost;
  std::vector<OperatorRow> operators;
  std::vector<DetectionRow> detection;
  std::vector<BugRow> bugs;
  std::vector<FalseAlarmRow> false_alarms;
  std::vector<HonestRow> honest;
  std::vector<SensitivityRow> sensitivity;
  std::vector<TimingSample> timing;
  std::vector<SpanRow> span;
  std::vector<DistanceSample> distances;
  bool interrupted = false;
};

}  // namespace soter::integrity
