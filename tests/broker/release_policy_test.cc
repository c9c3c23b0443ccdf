#include "broker/release_policy.h"

#include <gtest/gtest.h>

namespace soter {
namespace {

constexpr char kPlatforms[] = "platforms = [\"sgx\"]\n";

TEST(ReleasePolicy, EverySettingIsRead) {
  std::string text = std::string(kPlatforms) +
                     "[snp]\nmin_guest_svn = 7\n[release]\nexpires = \"1970-01-02T00:00:00Z\"\nmin_version = 2\n"
                     "activations = 3\nactivations_per_device = 4\nmin_scheme = \"soter\"\nmin_check = \"freivalds\"\n"
                     "lease_starts = 5\nlease_days = 6\n";
  ReleasePolicy policy = ParseReleasePolicy(text).value();
  EXPECT_EQ(policy.evidence.snp.min_guest_svn, 7);
  EXPECT_EQ(policy.expires_s, 86400);
  EXPECT_EQ(policy.min_version, 2u);
  EXPECT_EQ(policy.activations, 3u);
  EXPECT_EQ(policy.activations_per_device, 4u);
  EXPECT_EQ(policy.min_scheme, "soter");
  EXPECT_EQ(policy.min_check, "freivalds");
  EXPECT_EQ(policy.lease_starts, 5u);
  EXPECT_EQ(policy.lease_days, 6);
  EXPECT_FALSE(policy.AcceptsDev());
  EXPECT_EQ(policy.digest.size(), 64u);
}

TEST(ReleasePolicy, WhatIsLeftOutIsNoLimitAndNoLease) {
  ReleasePolicy policy = ParseReleasePolicy(kPlatforms).value();
  EXPECT_FALSE(policy.expires_s || policy.activations || policy.activations_per_device);
  EXPECT_EQ(policy.min_version + policy.lease_starts, 0u);
  EXPECT_TRUE(ParseReleasePolicy("platforms = [\"sgx\", \"dev\"]").value().AcceptsDev());
}

TEST(ReleasePolicy, ADigestIsOfTheTextToTheByte) {
  EXPECT_NE(ParseReleasePolicy(kPlatforms)->digest, ParseReleasePolicy(std::string(kPlatforms) + "\n")->digest);
}

TEST(ReleasePolicy, ImpossibleSettingsAreRefused) {
  for (const char* release :
       {"expires = \"never\"", "expires = \"\"", "expires = 5", "min_version = -1", "activations = 0",
        "activations_per_device = -1", "activations = \"1\"", "min_scheme = \"\"", "min_check = 1", "lease_starts = 1",
        "lease_days = 1", "lease_starts = 1000001\nlease_days = 1", "lease_starts = 1\nlease_days = 0", "activation = 1"}) {
    Result<ReleasePolicy> policy = ParseReleasePolicy(std::string(kPlatforms) + "[release]\n" + release + "\n");
    ASSERT_FALSE(policy.ok()) << release;
  }
  EXPECT_TRUE(ParseReleasePolicy(std::string(kPlatforms) + "[release]\n").ok());
}

TEST(ReleasePolicy, WhatTheProtocolBindsItselfIsRefused) {
  EXPECT_FALSE(ParseReleasePolicy(std::string(kPlatforms) + "[workload]\npurpose = \"attest\"\n").ok());
  EXPECT_FALSE(ParseReleasePolicy(std::string(kPlatforms) + "report_data = \"" + std::string(128, 'a') + "\"\n").ok());
  EXPECT_FALSE(ParseReleasePolicy("").ok());
}

}  // namespace
}  // namespace soter
