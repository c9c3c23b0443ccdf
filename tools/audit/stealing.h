#pragma once

#include <filesystem>

#include "tools/audit/outcome.h"

namespace soter::audit {

// StealingRun is one substitute to train.
struct StealingRun {
  std::string start;                // "guess", "public", "head", "random", "larger" (audit/victims/steal.py)
  std::filesystem::path guess;      // of start "guess"
  size_t budget = 0;                // queries
  std::string labels = "soft";      // or "hard": the best class alone
  uint64_t seed = 0;
};

// StealingResult is how that substitute did on the test set.
struct StealingResult {
  StealingRun run;
  double accuracy = 0, fidelity = 0, membership = 0.5;
};

// Steal trains all of them in one process. The first `observed` of its queries are those that the adversary saw cross.
// Errors: kUnavailable (Python or PyTorch is missing, or training failed).
Result<std::vector<StealingResult>> Steal(const std::filesystem::path& scripts, const std::filesystem::path& victim,
                                          std::span<const StealingRun> runs, size_t observed,
                                          const std::filesystem::path& scratch);

// StealingEffort says which substitutes to train: from scores at each budget, from the best class alone at the largest.
struct StealingEffort {
  std::vector<size_t> budgets;
  std::vector<uint64_t> seeds;
  bool thorough = true;  // with hard labels, and a black-box attacker with a wider network
};

// FloorRuns are the black-box attackers, with and without a public ancestor. GuessRuns start from a guess.
std::vector<StealingRun> FloorRuns(const StealingEffort& effort);
std::vector<StealingRun> GuessRuns(const StealingEffort& effort, const std::filesystem::path& guess);

// Curves groups results of one target by start, budget and labels: one value for each seed.
std::vector<StealingCurve> Curves(const std::string& victim, const std::string& scheme, double theta,
                                  std::span<const StealingResult> results);

// Floor is the strongest black-box attacker at a budget: the greatest mean accuracy, and its spread over the seeds.
struct FloorLevel {
  double accuracy = 0, deviation = 0;
  std::string start;
};
FloorLevel FloorAt(std::span<const StealingCurve> floor, size_t budget, const std::string& labels);

}  // namespace soter::audit
