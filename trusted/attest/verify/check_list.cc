#include "trusted/attest/verify/check_list.h"

#include <algorithm>

namespace soter {

const char* CheckOutcomeName(CheckOutcome outcome) {
  switch (outcome) {
    case CheckOutcome::kPassed: return "passed";
    case CheckOutcome::kFailed: return "failed";
    case CheckOutcome::kSkipped: return "skipped";
  }
  CHECK(false, "a check outcome without a name");
}

bool CheckList::all_held() const {
  return !checks_.empty() && std::none_of(checks_.begin(), checks_.end(), [](const EvidenceCheck& check) {
    return check.outcome == CheckOutcome::kFailed;
  });
}

}  // namespace soter
