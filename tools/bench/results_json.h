#pragma once

#include "common/base/result.h"
#include "tools/bench/claims.h"
#include "tools/bench/results.h"

namespace soter::bench {

inline constexpr int kSchema = 1;

// EncodeJson writes results and what follows from them, in a form that DecodeJson and other programs read
// (docs/benchmarks.md). DecodeJson reads the results back. Errors: kInvalidArgument (not such a file; another schema).
std::string EncodeJson(const Results& results, const std::vector<Claim>& claims);
Result<Results> DecodeJson(std::string_view text);

// EncodeCsv writes one row for each repeat that counts.
std::string EncodeCsv(const Results& results);

}  // namespace soter::bench
