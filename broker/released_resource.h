#pragma once

#include <string>

#include "broker/release_policy.h"
#include "broker/store.h"

namespace soter {

// EncodeReleasedResource writes what an enclave gets: soter-release-1 (docs/spec/key-release.md, 4). A lease ends after
// the policy's days, and no later than the policy.
std::string EncodeReleasedResource(const Resource& resource, const ReleasePolicy& policy, int64_t now_s);

}  // namespace soter
