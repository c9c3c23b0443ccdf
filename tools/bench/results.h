#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/wire/control.h"

// What `soter bench` measures, apart from how it is measured and how it is shown.
namespace soter::bench {

// Configuration is one thing that is measured.
struct Configuration {
  std::string model, scheme, check;
  std::string variant;       // "" or kSameSet
  double theta = 1;          // of soter, or of the soter that lent its set; 1 elsewhere
  uint32_t batch = 1;
  uint32_t input_size = 0;   // edge length; 0: the model's own
  bool operator==(const Configuration&) const = default;
};

// aegisdnn with the protected set that soter drew in the same round.
inline constexpr const char* kSameSet = "soter's protected set";

std::string Label(const Configuration& configuration);   // "soter, theta 0.8, freivalds"
bool HasTheta(const Configuration& configuration);

// Counts are those of one inference.
struct Counts {
  uint32_t switches = 0, linear_total = 0, linear_offloaded = 0;
  uint64_t bytes_sent = 0, bytes_received = 0;
  int64_t mul_adds = 0, mul_adds_offloaded = 0;
};

struct Spread { double p10 = 0, median = 0, p90 = 0; };

struct Measurement {
  Configuration configuration;
  std::vector<std::vector<control::Latency>> rounds;  // the repeats of each
  Counts counts;                       // of the last round
  double expected_ms = 0;              // predicted before the first round; 0: not predicted
  double predicted_round_ms = 0;       // median of the round that it was predicted for
  std::map<uint32_t, double> enclave_ms;  // by the value that an operator makes; empty: not predicted
  std::vector<double> shares;          // of the enclave's own time, offloaded in each round; empty: not timed
  std::optional<Spread> draws;         // the same for many draws of as many linear operators, all else offloaded
  std::string skipped;                 // why there is nothing; empty when there is
};

struct Summary {
  control::Latency parts;              // of the repeat whose total is the median
  double median = 0, p10 = 0, p90 = 0;
};

// MedianOfRound is the median total of the repeats of one round, of which there are some.
double MedianOfRound(const Measurement& measurement, size_t round);

// Summarise all repeats of all rounds; nothing where there are none.
std::optional<Summary> Summarise(const Measurement& measurement);

struct Protocol {
  uint32_t rounds = 0, repeat = 0, warm_up = 0, threads = 0;
  std::string precision = "fp32";      // of the accelerator
  std::vector<std::string> dims;       // SYMBOL=EXTENT
};

struct Results {
  std::string machine, tee, backend, device, date, version;
  std::string accelerator_model;       // empty: measured
  Protocol protocol;
  bool complete = false;
  std::vector<Measurement> measurements;

  bool modelled() const { return !accelerator_model.empty() || backend == "modelled"; }
};

const Measurement* Find(const Results& results, const Configuration& configuration);

// Ratio is the median over rounds of a round's median latency by that of `base`, with its least and its greatest.
struct Ratio { double median, low, high; };
std::optional<Ratio> RatioOf(const Measurement* measurement, const Measurement* base);

// Counterpart is the measurement of the same model, batch and input size under `scheme` (the first there is).
const Measurement* Counterpart(const Results& results, const Configuration& configuration, const std::string& scheme,
                               const std::string& variant = "");

}  // namespace soter::bench
