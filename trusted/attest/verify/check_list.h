#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"

namespace soter {

enum class CheckOutcome { kPassed, kFailed, kSkipped };

// CheckOutcomeName returns "passed", "failed" or "skipped".
const char* CheckOutcomeName(CheckOutcome outcome);

// EvidenceCheck is one line of a verdict: what was looked at, how it went, why, and what would satisfy it.
struct EvidenceCheck {
  std::string name;
  CheckOutcome outcome;
  std::string why;
  std::string remedy;  // empty where it passed
};

// CheckList gathers checks in the order in which they are made.
class CheckList {
 public:
  void Pass(std::string name, std::string why) { Add(std::move(name), CheckOutcome::kPassed, std::move(why), {}); }
  void Fail(std::string name, std::string why, std::string remedy) {
    Add(std::move(name), CheckOutcome::kFailed, std::move(why), std::move(remedy));
  }
  void Skip(std::string name, std::string why, std::string remedy) {
    Add(std::move(name), CheckOutcome::kSkipped, std::move(why), std::move(remedy));
  }

  // Decide adds a check that passes when `holds`; returns `holds`.
  bool Decide(std::string name, bool holds, std::string why, std::string remedy) {
    if (holds) Pass(std::move(name), std::move(why));
    else Fail(std::move(name), std::move(why), std::move(remedy));
    return holds;
  }

  // Decide adds a check that passes when `status` is ok, and else fails with its message; returns whether it passed.
  bool Decide(std::string name, const Status& status, std::string why_passed, std::string remedy) {
    if (status.ok()) Pass(std::move(name), std::move(why_passed));
    else Fail(std::move(name), status.error().message, std::move(remedy));
    return status.ok();
  }

  void Append(const std::vector<EvidenceCheck>& checks) {
    checks_.insert(checks_.end(), checks.begin(), checks.end());
  }

  // The same for what a check needed to compute on the way.
  template <typename T>
  bool Decide(std::string name, const Result<T>& result, std::string why_passed, std::string remedy) {
    return Decide(std::move(name), result.ok() ? Status() : Status(result.error()), std::move(why_passed),
                  std::move(remedy));
  }

  // all_held tells that something was checked and nothing failed.
  bool all_held() const;
  const std::vector<EvidenceCheck>& checks() const { return checks_; }

 private:
  void Add(std::string name, CheckOutcome outcome, std::string why, std::string remedy) {
    checks_.push_back({std::move(name), outcome, std::move(why), std::move(remedy)});
  }
  std::vector<EvidenceCheck> checks_;
};

}  // namespace soter
