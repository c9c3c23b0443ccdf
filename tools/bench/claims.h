#pragma once

#include <string>
#include <vector>

#include "tools/bench/results.h"

namespace soter::bench {

enum class Verdict : uint8_t { kReproduced, kRefuted, kNotMeasurable, kNotMeasured };
const char* VerdictName(Verdict verdict);  // "reproduced", "refuted", "not measurable here", "not measured"

// Claim is one of the paper's, and what came of it here.
struct Claim {
  std::string id, text;
  Verdict verdict = Verdict::kNotMeasured;
  std::string numbers;  // that the verdict rests on, or why there is none
};

// JudgeClaims gives a verdict on each of the nine claims, C1 to C9. Whatever compares a TEE with a faster accelerator
// cannot be measured where the accelerator is the same processor; the numbers stand there all the same. others: what
// other programs' reports say on C6 to C9 (tools/bench/other_reports.h).
std::vector<Claim> JudgeClaims(const Results& results, const std::vector<Claim>& others);

}  // namespace soter::bench
