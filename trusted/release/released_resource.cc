#include "trusted/release/released_resource.h"

#include <algorithm>
#include <array>

#include "common/base/bytes.h"
#include "common/base/hex.h"
#include "trusted/attest/verify/timestamp.h"
#include "trusted/jose/json.h"
#include "trusted/plan/plan.h"

namespace soter {
namespace {

constexpr std::string_view kFormat = "soter-release-1", kIdentityStart = "AGE-SECRET-KEY-1";
constexpr uint64_t kMaxStarts = 1'000'000;

bool IsOfIdentity(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'; }

// Takes the identity out of the text before a parser sees it, which would leave copies in memory that nobody wipes.
Result<SecretBytes> TakeIdentity(std::span<std::byte> text) {
  std::string_view view = AsText(text);
  size_t start = view.find(kIdentityStart);
  if (start == std::string_view::npos) return Malformed("the resource holds no age identity");
  size_t end = start;
  while (end < view.size() && IsOfIdentity(view[end])) ++end;
  std::span<std::byte> place = text.subspan(start, end - start);
  SecretBytes identity(place.size());
  std::ranges::copy(place, identity.Expose().begin());
  std::ranges::fill(place, std::byte{'x'});
  return identity;
}

template <typename Choice, size_t N>
Result<Choice> FromName(const Json& json, const char* member, const std::array<Choice, N>& choices,
                        const char* (*name_of)(Choice)) {
  std::string name = TRY(JsonText(json, member));
  for (Choice choice : choices)
    if (name == name_of(choice)) return choice;
  return Malformed(std::string("the resource's \"") + member + "\" is no name that is known");
}

Result<ReleaseTerms> DecodeTerms(const Json& json) {
  using control::Check, control::Scheme;
  static constexpr std::array kSchemes = {Scheme::kInsecure, Scheme::kVerified, Scheme::kMlcapsule,
                                          Scheme::kAegisdnn, Scheme::kEnnclave, Scheme::kSoter};
  static constexpr std::array kChecks = {Check::kNone, Check::kFingerprint, Check::kFreivalds};
  ReleaseTerms terms = {.name = TRY(JsonText(json, "name"))};
  terms.version = TRY(JsonUnsigned(json, "version", UINT64_MAX));
  terms.min_scheme = TRY((FromName<Scheme, 6>(json, "min-scheme", kSchemes, SchemeName)));
  terms.min_check = TRY((FromName<Check, 3>(json, "min-check", kChecks, CheckName)));
  std::vector<std::byte> digest = TRY(DecodeHex(TRY(JsonText(json, "digest"))));
  if (!IsModelName(terms.name)) return Malformed("the resource's \"name\" is no name of a model");
  if (digest.size() != terms.digest.size()) return Malformed("the resource's \"digest\" is no SHA-256 digest");
  std::ranges::copy(digest, terms.digest.begin());
  return terms;
}

Result<std::optional<LeaseGrant>> DecodeLease(const Json& json) {
  if (!json.contains("lease")) return std::optional<LeaseGrant>();
  const Json& lease = json.at("lease");
  TRY(ExpectMembers(lease, {"starts", "not-after"}));
  uint64_t starts = TRY(JsonUnsigned(lease, "starts", kMaxStarts));
  if (starts == 0) return Malformed("the resource's lease allows no start");
  LeaseGrant grant = {.starts = static_cast<uint32_t>(starts)};
  grant.not_after_s = TRY(ParseTimestamp(TRY(JsonText(lease, "not-after"))));
  return std::optional(grant);
}

}  // namespace

Result<ReleasedResource> DecodeReleasedResource(SecretBytes& text) {
  if (text.Expose().size() > kMaxResourceBytes) return Malformed("the resource is larger than 16 KiB");
  SecretBytes identity = TRY(TakeIdentity(text.Expose()));
  Json json = TRY(ParseJson(AsText(text.Expose())));
  TRY(ExpectMembers(json, {"format", "name", "version", "digest", "identity", "signer", "min-scheme", "min-check", "lease"}));
  if (TRY(JsonText(json, "format")) != kFormat) return Malformed("the resource is not in the format soter-release-1");
  if (TRY(JsonText(json, "identity")) != std::string(identity.Expose().size(), 'x'))
    return Malformed("the resource's \"identity\" is no age identity");
  ReleaseTerms terms = TRY(DecodeTerms(json));
  std::optional<LeaseGrant> lease = TRY(DecodeLease(json));
  std::string signer = TRY(JsonText(json, "signer"));
  return ReleasedResource{std::move(identity), std::move(signer), std::move(terms), lease};
}

}  // namespace soter
