#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "tools/bench/claims.h"

// Claims on which `soter bench` itself measures nothing, judged by what other programs wrote.
namespace soter::bench {

// ClaimsOfAudit judges C6 and C7 by the array "stealing" of `soter audit`'s audit.json: substitutes that started from what
// was seen, under soter at its greatest theta against ennclave and aegisdnn, per victim, labels and budget; a difference
// counts from 2 points and two deviations between seeds on. Errors: kInvalidArgument (no such array).
Result<std::vector<Claim>> ClaimsOfAudit(std::string_view json);

// ClaimsOfIntegrity judges C8 and C9 by the array "distances" of `soter bench --integrity`'s integrity.json: oblivious
// fingerprints pass for normal (Jarque-Bera) and are not told apart from real inputs (Kolmogorov-Smirnov), both at 1% over
// all operators; fixed ones repeat most of their distances. Errors: kInvalidArgument (no such array).
Result<std::vector<Claim>> ClaimsOfIntegrity(std::string_view json);

// NormalityP is the probability that a normal sample's skewness and kurtosis are at least as far off as these
// (Jarque and Bera 1980, asymptotic). 0 for a sample without spread.
double NormalityP(const std::vector<double>& sample);

// RepeatedShare is the share of values that occur more than once.
double RepeatedShare(std::vector<double> sample);

}  // namespace soter::bench
