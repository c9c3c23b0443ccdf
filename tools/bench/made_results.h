#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tools/bench/claims.h"
#include "tools/bench/results.h"

// Results as tests make them up.
namespace soter::bench {

// Timed is a measurement whose every repeat of round i took round_ms[i].
inline Measurement Timed(const std::string& model, const std::string& scheme, const std::vector<double>& round_ms,
                         double theta = 1, const std::string& variant = "") {
  Measurement m{.configuration = {.model = model, .scheme = scheme, .check = "none", .variant = variant, .theta = theta}};
  for (double ms : round_ms) m.rounds.push_back(std::vector<control::Latency>(3, {.trusted = ms, .total = ms}));
  return m;
}

inline const Claim& ClaimOf(const std::vector<Claim>& claims, const std::string& id) {
  return *std::find_if(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.id == id; });
}

}  // namespace soter::bench
