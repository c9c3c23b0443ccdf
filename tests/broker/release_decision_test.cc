// Who gets a key for a token: each objection by itself, and no objection once that is put right.
#include "broker/release_decision.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "broker/release_policy.h"
#include "trusted/crypto/ec_key.h"

namespace soter {
namespace {

constexpr int64_t kNow = 1'000'000;
constexpr char kPath[] = "models/digits/3";

class ReleaseDecisionTest : public ::testing::Test {
 protected:
  ReleaseDecisionTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "soter-release-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_.emplace(Store::Create(directory_ + "/broker.db", kNow).value());
  }
  ~ReleaseDecisionTest() override { std::filesystem::remove_all(directory_); }

  void Offer(const std::string& release) {
    policy_ = "platforms = [\"snp\"]\n[release]\n" + release + "\n";
    Resource resource = {.path = kPath, .name = "digits", .version = 3, .policy = policy_};
    ASSERT_TRUE(store_->Transact([&] { return store_->PutResource(resource); }).ok());
  }

  TokenContent Token(const std::string& device, const std::string& id = "t") {
    return {.id = id, .device = device, .policies = {ParseReleasePolicy(policy_)->digest}, .tee_key = key_};
  }

  // Decide returns the status and the reason.
  std::string Decide(const TokenContent& token, const std::string& path = kPath) {
    std::string answer;
    EXPECT_TRUE(store_->Transact([&]() -> Status {
      ReleaseDecision decision = TRY(DecideRelease(*store_, path, token, kNow));
      answer = std::to_string(decision.status) + ' ' + decision.reason;
      EXPECT_EQ(decision.jwe.empty(), decision.status != 200);
      return {};
    }).ok());
    return answer;
  }

  std::string directory_, policy_;
  std::optional<Store> store_;
  EcPublicJwk key_ = {EcCurve::kP256, EcPrivateKey::Generate(EcCurve::kP256).value().public_key()};
};

TEST_F(ReleaseDecisionTest, ATokenForAnotherPolicyOrPathGetsNothing) {
  Offer("");
  TokenContent token = Token("snp:aa");
  EXPECT_EQ(Decide(token), "200 ");
  EXPECT_EQ(Decide(token, "models/digits/4"), "404 no such resource");
  token.policies = {std::string(64, '0')};
  EXPECT_TRUE(Decide(token).starts_with("403 the evidence did not satisfy"));
  token.policies.clear();
  EXPECT_TRUE(Decide(token).starts_with("403 "));
}

TEST_F(ReleaseDecisionTest, DevicesThatNothingVouchesForAreNotCountedByDevice) {
  Offer("activations_per_device = 1");
  EXPECT_EQ(Decide(Token("snp:aa", "1")), "200 ");
  EXPECT_EQ(Decide(Token("snp:aa", "2")), "403 all activations of this device are used up");
  EXPECT_EQ(Decide(Token("snp:bb", "3")), "200 ");
  for (const char* device : {"", "snp-vlek:aa"})
    EXPECT_EQ(Decide(Token(device, "4")), "403 activations are counted by device, and the evidence vouches for none");
  Offer("activations = 3");
  EXPECT_EQ(Decide(Token("snp-vlek:aa", "5")), "200 ");
  EXPECT_EQ(Decide(Token("snp-vlek:aa", "6")), "403 all activations are used up");
  EXPECT_EQ(Decide(Token("snp-vlek:aa", "5")), "200 ") << "the same activation again";
}

TEST_F(ReleaseDecisionTest, WhatTimeRevocationAndVersionsForbid) {
  Offer("expires = \"1970-01-12T13:46:40Z\"");  // kNow
  EXPECT_EQ(Decide(Token("snp:aa")), "403 the policy expired 1970-01-12T13:46:40Z");
  Offer("min_version = 4");
  EXPECT_EQ(Decide(Token("snp:aa")), "403 version 3 is below the minimum, 4");
  Offer("expires = \"1970-01-12T13:46:41Z\"\nmin_version = 3");
  EXPECT_EQ(Decide(Token("snp:aa")), "200 ");
  ASSERT_TRUE(store_->Transact([&] { return store_->Revoke("snp:aa", kNow); }).ok());
  EXPECT_EQ(Decide(Token("snp:aa")), "403 the device is revoked");
  EXPECT_EQ(Decide(Token("snp:bb", "other")), "200 ");
}

TEST(DeviceOf, NamesWhatTheEvidenceVouchesFor) {
  auto device = [](PlatformKind platform, std::vector<std::pair<std::string, std::string>> details) {
    return DeviceOf({.platform = platform, .details = std::move(details)});
  };
  EXPECT_EQ(device(PlatformKind::kSnp, {{"chip_id", "aa"}, {"signing_key", "VCEK"}}), "snp:aa");
  EXPECT_EQ(device(PlatformKind::kSnp, {{"chip_id", "aa"}, {"signing_key", "VLEK"}}), "snp-vlek:aa");
  EXPECT_EQ(device(PlatformKind::kSgx, {{"ppid", "bb"}}), "intel:bb");
  EXPECT_EQ(device(PlatformKind::kTdx, {{"ppid", "bb"}}), "intel:bb");
  EXPECT_EQ(device(PlatformKind::kDev, {{"public_key", "cc"}}), "dev:cc");
  EXPECT_EQ(device(PlatformKind::kSgx, {}), "");
}

}  // namespace
}  // namespace soter
