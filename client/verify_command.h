#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace soter {

// VerifyCommand is what `soter verify EVIDENCE [--collateral F]... --policy P.toml [--at TIME] [--json]` was given.
struct VerifyCommand {
  std::string evidence_path;
  std::vector<std::string> collateral_paths;
  std::string policy_path;
  std::string at;  // empty: now; else like 2025-06-19T10:56:11Z
  bool json = false;
};

// RunVerify judges the evidence and writes the verdict to `out`: each check, passed, failed or skipped, why, and what
// would satisfy it. A complaint about what cannot be read, the policy or the time goes to `err`, without a line end.
// Returns the exit code: 0 accepted, 4 refused (or no evidence at all), 2 a file, the policy or the time is unusable.
int RunVerify(const VerifyCommand& command, std::ostream& out, std::ostream& err);

}  // namespace soter
