#include "broker/release_decision.h"

#include <algorithm>

#include "broker/release_policy.h"
#include "broker/released_resource.h"
#include "common/base/bytes.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/jose/jwe.h"

namespace soter {
namespace {

ReleaseDecision Deny(std::string reason) {
  return {.status = 403, .problem = "PolicyDeny", .reason = std::move(reason)};
}

// The highest minimum of all policies of one name: who raises it in one policy has raised it for all.
Result<uint64_t> MinimumVersion(Store& store, const std::string& name) {
  uint64_t minimum = 0;
  for (const Resource& resource : TRY(store.Resources()))
    if (resource.name == name) minimum = std::max(minimum, TRY(ParseReleasePolicy(resource.policy)).min_version);
  return minimum;
}

// Why the policy forbids what the token would allow; empty where it does not.
Result<std::string> Objection(Store& store, const Resource& resource, const ReleasePolicy& policy,
                              const TokenContent& token, int64_t now_s) {
  if (std::ranges::find(token.policies, policy.digest) == token.policies.end())
    return std::string("the evidence did not satisfy this resource's policy, or the policy has changed since");
  if (policy.expires_s && now_s >= *policy.expires_s)
    return "the policy expired " + FormatTimestamp(*policy.expires_s);
  if (!token.device.empty() && TRY(store.IsRevoked(token.device))) return std::string("the device is revoked");
  uint64_t minimum = TRY(MinimumVersion(store, resource.name));
  if (resource.version < minimum)
    return "version " + std::to_string(resource.version) + " is below the minimum, " + std::to_string(minimum);
  return std::string();
}

Result<std::string> Exhausted(Store& store, const ReleasePolicy& policy, const CountedRelease& activation) {
  if (policy.activations && TRY(store.CountActivations(activation.path, "")) >= *policy.activations)
    return std::string("all activations are used up");
  if (!policy.activations_per_device) return std::string();
  if (activation.device.empty() || activation.device.starts_with(kVlekDevice))
    return std::string("activations are counted by device, and the evidence vouches for none");
  if (TRY(store.CountActivations(activation.path, activation.device)) >= *policy.activations_per_device)
    return std::string("all activations of this device are used up");
  return std::string();
}

}  // namespace

Result<ReleaseDecision> DecideRelease(Store& store, const std::string& path, const TokenContent& token, int64_t now_s) {
  std::optional<Resource> resource = TRY(store.FindResource(path));
  if (!resource) return ReleaseDecision{.status = 404, .problem = "ResourceNotFound", .reason = "no such resource"};
  ReleasePolicy policy = TRY(ParseReleasePolicy(resource->policy));
  std::string objection = TRY(Objection(store, *resource, policy, token, now_s));
  if (!objection.empty()) return Deny(std::move(objection));
  CountedRelease activation = {path, token.id, token.device};
  ReleaseDecision decision = {.is_repeated = TRY(store.HasActivation(activation))};
  if (!decision.is_repeated) {
    std::string exhausted = TRY(Exhausted(store, policy, activation));
    if (!exhausted.empty()) return Deny(std::move(exhausted));
    TRY(store.AddActivation(activation, now_s));
  }
  decision.jwe = TRY(EncryptJwe(token.tee_key, AsBytes(EncodeReleasedResource(*resource, policy, now_s))));
  return decision;
}

}  // namespace soter
