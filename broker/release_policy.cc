#include "broker/release_policy.h"

#include <algorithm>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/attest/verify/toml.h"
#include "trusted/crypto/hash.h"

namespace soter {
namespace {

constexpr int64_t kMaxLeaseStarts = 1'000'000, kMaxLeaseDays = 3650;

// Takes a whole number from `least` on; an absent one leaves `out` as it is.
Status TakeCount(TomlTable& table, const char* key, int64_t least, int64_t most, std::optional<uint64_t>& out) {
  if (!table.Has(key)) return {};
  int64_t value = 0;
  TRY(table.TakeInteger(key, value));
  if (value < least || value > most)
    return InvalidArgument(std::string(key) + " takes " + std::to_string(least) + " to " + std::to_string(most));
  out = static_cast<uint64_t>(value);
  return {};
}

Status TakeName(TomlTable& table, const char* key, std::string& out) {
  if (!table.Has(key)) return {};
  TRY(table.TakeString(key, out));
  if (out.empty()) return InvalidArgument(std::string(key) + " is empty: give a value, or leave it out");
  return {};
}

Status ReadRelease(TomlTable& table, ReleasePolicy& policy) {
  std::string expires;
  std::optional<uint64_t> min_version, lease_starts, lease_days;
  TRY(TakeName(table, "expires", expires));
  if (!expires.empty()) policy.expires_s = TRY(ParseTimestamp(expires));
  TRY(TakeCount(table, "min_version", 0, INT64_MAX, min_version));
  TRY(TakeCount(table, "activations", 1, INT64_MAX, policy.activations));
  TRY(TakeCount(table, "activations_per_device", 1, INT64_MAX, policy.activations_per_device));
  TRY(TakeName(table, "min_scheme", policy.min_scheme));
  TRY(TakeName(table, "min_check", policy.min_check));
  TRY(TakeCount(table, "lease_starts", 0, kMaxLeaseStarts, lease_starts));
  TRY(TakeCount(table, "lease_days", 1, kMaxLeaseDays, lease_days));
  policy.min_version = min_version.value_or(0);
  policy.lease_starts = lease_starts.value_or(0);
  policy.lease_days = static_cast<int64_t>(lease_days.value_or(0));
  if ((policy.lease_starts > 0) != (policy.lease_days > 0))
    return InvalidArgument("lease_starts and lease_days go together: how often, and for how long");
  return table.ExpectEmpty();
}

}  // namespace

bool ReleasePolicy::AcceptsDev() const {
  return std::ranges::find(evidence.platforms, PlatformKind::kDev) != evidence.platforms.end();
}

Result<ReleasePolicy> ParseReleasePolicy(std::string_view toml) {
  TomlFile file = TRY(ParseToml(toml));
  ReleasePolicy policy = {.digest = EncodeHex(Digest<Sha256>(AsBytes(toml)))};
  if (auto release = file.extract("release"); !release.empty()) {
    Status read = ReadRelease(release.mapped(), policy);
    if (!read.ok()) return Annotate(std::move(read).error(), "policy [release]");
  }
  policy.evidence = TRY(ReadPolicy(file));
  if (policy.evidence.platforms.empty()) return InvalidArgument("platforms must name one or more of sgx, tdx, snp, dev");
  if (policy.evidence.workload.pins_anything() || !policy.evidence.report_data.empty())
    return InvalidArgument("a release policy has no [workload] and no report_data: the protocol binds nonce and key");
  return policy;
}

}  // namespace soter
