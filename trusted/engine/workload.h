#pragma once

#include "common/wire/control.h"
#include "trusted/attest/workload_claims.h"

namespace soter {

// ClaimsOf is what an enclave that runs a model under `settings` may say of itself: never more than is so. Repeatable
// secrets hide nothing, so their scheme is called insecure; spot checks too rare to count are called none.
WorkloadClaims ClaimsOf(const control::Settings& settings, std::vector<std::byte> model_digest);

}  // namespace soter
