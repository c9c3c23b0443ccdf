#include "broker/released_resource.h"

#include <algorithm>

#include "trusted/attest/verify/timestamp.h"

namespace soter {
namespace {

constexpr int64_t kDaySeconds = 24 * 3600;

}  // namespace

std::string EncodeReleasedResource(const Resource& resource, const ReleasePolicy& policy, int64_t now_s) {
  Json json = {{"format", "soter-release-1"},
               {"name", resource.name},
               {"version", resource.version},
               {"digest", resource.digest},
               {"identity", resource.identity},
               {"signer", resource.signer},
               {"min-scheme", resource.min_scheme},
               {"min-check", resource.min_check}};
  if (policy.lease_starts > 0) {
    int64_t ends = std::min(now_s + policy.lease_days * kDaySeconds, policy.expires_s.value_or(INT64_MAX));
    json["lease"] = {{"starts", policy.lease_starts}, {"not-after", FormatTimestamp(ends)}};
  }
  return DumpJson(json);
}

}  // namespace soter
