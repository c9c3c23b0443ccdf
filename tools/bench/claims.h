#pragma once

#include <string>
#include <string_view>
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
// reports of `soter audit` and `soter bench --integrity` found on C6 to C9.
std::vector<Claim> JudgeClaims(const Results& results, const std::vector<Claim>& others);

// ReadClaims takes the array "claims" out of another report's JSON, as this command writes it: id, verdict, numbers.
// Empty where there is none.
std::vector<Claim> ReadClaims(std::string_view json);

}  // namespace soter::bench
