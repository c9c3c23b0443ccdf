#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "audit/score/behaviour.h"
#include "audit/score/score.h"

namespace soter::audit {

// The least share of a victim's multiply-adds that must run on the accelerator for a row to say anything.
inline constexpr double kLeastShare = 0.7;

// Target is one victim under one scheme, as recorded.
struct Target {
  std::string victim, scheme, check;
  double theta = 0;
  bool masked = false;   // the scheme is one that masks
  double share = 0;  // of the multiply-adds on the accelerator
  uint32_t linear_offloaded = 0, linear_total = 0;
  bool counts() const { return share >= kLeastShare; }
};

// Outcome is what one attack got from one target: a row of the report.
struct Outcome {
  Target target;
  std::string attack, source, sees;
  std::vector<LayerScore> layers;
  std::map<std::string, double> findings;
  Behaviour behaviour;                     // of the ancestor with the guess put in, before any training
  std::string error;                       // the attack itself failed
  bool measures_only = false;              // the attack guesses no weights
  double seconds = 0;

  // Broken: at least one layer came closer to the victim than the ancestor is, beyond what kLeastAdp allows.
  bool broken() const;
  size_t broken_layers() const;
  size_t guessed_layers() const;
  double least_adp() const;  // 1 where nothing was guessed
  double mean_adp() const;
  double mean_useful_adp() const;  // where a guess is further from the victim than the ancestor is, it counts as 1
};

// StealingCurve is a substitute at one budget, trained once for each seed.
struct StealingCurve {
  std::string victim, scheme;             // scheme "black box": the floor, which needs no accelerator
  double theta = 0, share = 0;            // share of the victim's multiply-adds on the accelerator
  std::string start, labels;              // audit/victims/steal.py
  size_t budget = 0;
  std::vector<double> accuracy, fidelity, membership; // one for each seed
  double deployed = 0;                    // accuracy of the network that answers: the ceiling
  double floor = 0;                       // of the strongest black-box attacker at this budget
  bool above_floor = false;               // by more than 2 points and two deviations
};
double MeanOf(std::span<const double> values);
double DeviationOf(std::span<const double> values);  // of a sample

// Control is something whose outcome is known: an audit in which it comes out otherwise is itself broken.
struct Control {
  std::string name, attack;
  bool must_break;  // false: must withstand
  bool broke = false;
  std::string detail;
  bool passed() const { return broke == must_break; }
};

// Report is everything that an audit found.
struct Report {
  uint64_t seed = 0;
  size_t queries = 0;
  std::vector<Outcome> outcomes;
  std::vector<Control> controls;
  std::vector<StealingCurve> stealing;
  double seconds = 0;      // of computing
  bool complete = false;   // nothing is left to do
  bool passed() const;  // every control came out as it must
};

// Verdict is a row's result in words: an attack that only measures, or had nothing to guess from, withstood nothing.
std::string Verdict(const Outcome& outcome);

std::string ReportAsText(const Report& report);
std::string ReportAsJson(const Report& report);

}  // namespace soter::audit
