// A release policy from its owner: what parses names a platform, has sane limits, and a lease that ends.
#include <cstddef>
#include <cstdint>

#include "broker/release_policy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  soter::Result<soter::ReleasePolicy> policy = soter::ParseReleasePolicy({reinterpret_cast<const char*>(data), size});
  if (!policy.ok()) return 0;
  CHECK(!policy->evidence.platforms.empty(), "a policy for no platform");
  CHECK((policy->lease_starts > 0) == (policy->lease_days > 0), "a lease without an end");
  CHECK(policy->activations != 0u && policy->activations_per_device != 0u, "a limit of nothing");
  return 0;
}
