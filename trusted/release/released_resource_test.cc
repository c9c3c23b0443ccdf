#include "trusted/release/released_resource.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/base/bytes.h"
#include "trusted/jose/json.h"
#include "trusted/seal/age_key.h"

namespace soter {
namespace {

constexpr char kIdentity[] = "AGE-SECRET-KEY-1QQPQZRFR7ZZYZ0XMVQ4F4QJ0Y";

Json Good() {
  return {{"format", "soter-release-1"},
          {"name", "digits"},
          {"version", 3},
          {"digest", std::string(64, 'a')},
          {"identity", kIdentity},
          {"signer", "RWQ..."},
          {"min-scheme", "soter"},
          {"min-check", "freivalds"},
          {"lease", {{"starts", 5}, {"not-after", "2030-01-01T00:00:00Z"}}}};
}

SecretBytes Text(const std::string& text) {
  SecretBytes bytes(text.size());
  std::ranges::copy(AsBytes(text), bytes.Expose().begin());
  return bytes;
}

Result<ReleasedResource> Decode(const Json& json) {
  SecretBytes text = Text(DumpJson(json));
  return DecodeReleasedResource(text);
}

TEST(ReleasedResource, IsRead) {
  SecretBytes text = Text(DumpJson(Good()));
  ReleasedResource resource = DecodeReleasedResource(text).value();
  EXPECT_EQ(AsText(resource.identity.Expose()), kIdentity);
  EXPECT_EQ(AsText(text.Expose()).find("AGE-SECRET"), std::string_view::npos);  // it is nowhere else
  EXPECT_EQ(resource.terms.name, "digits");
  EXPECT_EQ(resource.terms.version, 3u);
  EXPECT_EQ(resource.terms.digest[31], std::byte{0xaa});
  EXPECT_EQ(resource.terms.min_scheme, control::Scheme::kSoter);
  EXPECT_EQ(resource.terms.min_check, control::Check::kFreivalds);
  EXPECT_EQ(resource.lease->starts, 5u);
  EXPECT_EQ(resource.lease->not_after_s, 1893456000);
}

TEST(ReleasedResource, MayLackALease) {
  Json json = Good();
  json.erase("lease");
  EXPECT_FALSE(Decode(json)->lease.has_value());
}

TEST(ReleasedResource, EachMemberIsNeededAndChecked) {
  const Json good = Good();
  for (const auto& [name, value] : good.items()) {
    if (name == "lease") continue;
    Json json = Good();
    json.erase(name);
    EXPECT_EQ(Decode(json).error().code, ErrorCode::kMalformed) << name;
    json[name] = nullptr;
    EXPECT_EQ(Decode(json).error().code, ErrorCode::kMalformed) << name;
  }
  auto refuse = [](const char* name, Json value) {
    Json json = Good();
    json[name] = std::move(value);
    EXPECT_EQ(Decode(json).error().code, ErrorCode::kMalformed) << name;
  };
  refuse("format", "soter-release-2");
  refuse("name", "../digits");
  refuse("version", -1);
  refuse("version", 1.5);
  refuse("digest", std::string(63, 'a'));
  refuse("digest", std::string(64, 'A'));
  refuse("identity", "age1publickey");
  refuse("identity", std::string(kIdentity) + "\\u0041");
  refuse("min-scheme", "strongest");
  refuse("min-check", 3);
  refuse("lease", 5);
  refuse("lease", {{"starts", 0}, {"not-after", "2030-01-01T00:00:00Z"}});
  refuse("lease", {{"starts", 1'000'001}, {"not-after", "2030-01-01T00:00:00Z"}});
  refuse("lease", {{"starts", 1}, {"not-after", "tomorrow"}});
  refuse("lease", {{"starts", 1}, {"not-after", "2030-01-01T00:00:00Z"}, {"more", 1}});
  refuse("more", 1);
  EXPECT_TRUE(Decode(Good()).ok());
}

TEST(ReleasedResource, OfMoreThanSixteenKibibytesIsRefused) {
  SecretBytes text = Text(DumpJson(Good()) + std::string(kMaxResourceBytes, ' '));
  EXPECT_EQ(DecodeReleasedResource(text).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
