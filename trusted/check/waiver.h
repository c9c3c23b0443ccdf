#pragma once

#include "common/wire/control.h"
#include "trusted/claim/claim.h"

namespace soter {

// Waiver is the written permission to use a result that nothing checked. It exists for the schemes and baselines
// that are published without a check of the user's own result (insecure, soter with fingerprints or none), so that
// a reader can find every such place; under Freivalds none can be made.
class Waiver {
 public:
  // Aborts for a check that covers every result.
  explicit Waiver(control::Check check) {
    CHECK(check != control::Check::kFreivalds, "every result is checked under freivalds");
  }
};

// Waive believes `claim` without evidence.
Verified<PrivateTensor> Waive(const Waiver& waiver, Claim claim);

}  // namespace soter
