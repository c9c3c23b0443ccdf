#include "trusted/seal/model_policy.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "common/base/bytes.h"

namespace soter {
namespace {

using control::Check;
using control::Scheme;

ModelPolicy Digits() { return {.name = "digits", .version = 3}; }

ProtectionChoice Allowed() {
  return {.scheme = Scheme::kSoter, .check = Check::kFingerprint, .precision = Precision::kFloat32, .theta = 0.8};
}

TEST(RequirePolicy, WhatIsDemandedOrStrongerIsAllowed) {
  EXPECT_TRUE(RequirePolicy(Digits(), Allowed()).ok());
  ProtectionChoice stronger = Allowed();
  stronger.scheme = Scheme::kMlcapsule;
  stronger.check = Check::kNone;  // nothing leaves the enclave that could be checked
  stronger.theta = 7;             // unused
  EXPECT_TRUE(RequirePolicy(Digits(), stronger).ok());
}

TEST(RequirePolicy, EachWeakerMemberIsAuthAndAllowedWhenRestored) {
  ModelPolicy policy = Digits();
  policy.min_theta = 0.5;
  policy.max_theta = 0.9;
  auto refusal = [&](auto change) {
    ProtectionChoice choice = Allowed();
    change(choice);
    Error error = RequirePolicy(policy, choice).error();
    EXPECT_EQ(error.code, ErrorCode::kAuth);
    return error.message;
  };
  EXPECT_NE(refusal([](auto& c) { c.scheme = Scheme::kVerified; }).find("scheme soter or stronger"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.check = Check::kNone; }).find("check fingerprint or stronger"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.precision = Precision::kInt8; }).find("precision"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.theta = 0.4; }).find("theta from 0.5"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.theta = 0.95; }).find("theta"), std::string::npos);
  EXPECT_NE(refusal([](auto& c) { c.theta = std::nan(""); }).find("theta"), std::string::npos);
  EXPECT_TRUE(RequirePolicy(policy, Allowed()).ok());
}

TEST(EncodePolicy, ImpossibleMembersAreInvalidArgument) {
  auto refused = [](auto change) {
    ModelPolicy policy = Digits();
    change(policy);
    Result<std::vector<std::byte>> encoded = EncodePolicy(policy, PolicySalt{});
    return !encoded.ok() && encoded.error().code == ErrorCode::kInvalidArgument;
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& p) { p.name = ""; }));
  EXPECT_TRUE(refused([](auto& p) { p.name = ".hidden"; }));
  EXPECT_TRUE(refused([](auto& p) { p.name = "two words"; }));
  EXPECT_TRUE(refused([](auto& p) { p.name = std::string(65, 'n'); }));
  EXPECT_TRUE(refused([](auto& p) { p.precisions = 0; }));
  EXPECT_TRUE(refused([](auto& p) { p.precisions = 32; }));
  EXPECT_TRUE(refused([](auto& p) { p.min_theta = -0.1; }));
  EXPECT_TRUE(refused([](auto& p) { p.max_theta = 1.1; }));
  EXPECT_TRUE(refused([](auto& p) { p.min_theta = 0.9, p.max_theta = 0.8; }));
  EXPECT_TRUE(refused([](auto& p) { p.max_theta = std::nan(""); }));
}

RC_GTEST_PROP(DecodePolicy, InvertsEncode, (uint64_t version, uint32_t precisions)) {
  ModelPolicy policy = {.name = std::string(*rc::gen::inRange<size_t>(1, 65), 'n'),
                        .version = version,
                        .min_scheme = static_cast<Scheme>(*rc::gen::inRange(0, static_cast<int>(Scheme::kSoter) + 1)),
                        .min_check = static_cast<Check>(*rc::gen::inRange(0, 3)),
                        .precisions = precisions % kAllPrecisions + 1,
                        .min_theta = *rc::gen::inRange(0, 50) / 100.0,
                        .max_theta = *rc::gen::inRange(50, 101) / 100.0};
  std::vector<std::byte> encoded = EncodePolicy(policy, PolicySalt{}).value();
  RC_ASSERT(encoded.size() % kPolicyAlignment == 0u);
  DecodedPolicy decoded = DecodePolicy(encoded).value();
  RC_ASSERT(decoded.header_bytes == encoded.size());
  RC_ASSERT(decoded.policy.name == policy.name);
  RC_ASSERT(decoded.policy.min_scheme == policy.min_scheme);
  RC_ASSERT(EncodePolicy(decoded.policy, PolicySalt{}).value() == encoded);
}

// The offsets of docs/spec/sealed-model.md, for the name "digits".
constexpr size_t kVersionOffset = 8, kLengthOffset = 12, kNameLengthOffset = 48, kSchemeOffset = 66, kCheckOffset = 67,
                 kThetaOffset = 72;

class PolicyBytes : public testing::Test {
 protected:
  void ExpectRefused(size_t offset, std::byte value, ErrorCode code) {
    std::byte saved = std::exchange(encoded_[offset], value);
    Result<DecodedPolicy> decoded = DecodePolicy(encoded_);
    ASSERT_FALSE(decoded.ok()) << offset;
    EXPECT_EQ(decoded.error().code, code) << decoded.error().message;
    encoded_[offset] = saved;
    EXPECT_TRUE(DecodePolicy(encoded_).ok());
  }
  std::vector<std::byte> encoded_ = EncodePolicy(Digits(), PolicySalt{}).value();
};

TEST_F(PolicyBytes, EachImpossibleFieldIsRefusedAndAcceptedWhenRestored) {
  ExpectRefused(0, std::byte{'X'}, ErrorCode::kMalformed);
  ExpectRefused(kVersionOffset, std::byte{2}, ErrorCode::kUnsupported);
  ExpectRefused(kLengthOffset, std::byte{0}, ErrorCode::kMalformed);
  ExpectRefused(kLengthOffset, std::byte{65}, ErrorCode::kMalformed);
  ExpectRefused(kLengthOffset + 1, std::byte{255}, ErrorCode::kMalformed);
  ExpectRefused(kNameLengthOffset, std::byte{200}, ErrorCode::kMalformed);
  ExpectRefused(kSchemeOffset, std::byte{41}, ErrorCode::kUnsupported);
  ExpectRefused(kCheckOffset, std::byte{11}, ErrorCode::kUnsupported);
  ExpectRefused(kThetaOffset + 7, std::byte{0x80 | 0x3f}, ErrorCode::kMalformed);
  ExpectRefused(encoded_.size() - 1, std::byte{1}, ErrorCode::kMalformed);
}

TEST_F(PolicyBytes, TruncatedAnywhereIsMalformed) {
  for (size_t size = 0; size < encoded_.size(); ++size) {
    EXPECT_EQ(DecodePolicy(std::span(encoded_).first(size)).error().code, ErrorCode::kMalformed) << size;
  }
}

TEST(ModelComment, IsReadBack) {
  ModelComment comment = {.name = "digits", .version = 18446744073709551615u, .digest = Digest<Sha256>(AsBytes("x"))};
  ModelComment parsed = ModelComment::Parse(comment.ToText()).value();
  EXPECT_EQ(parsed.name, "digits");
  EXPECT_EQ(parsed.version, comment.version);
  EXPECT_EQ(parsed.digest, comment.digest);
}

TEST(ModelComment, AnythingElseIsMalformed) {
  std::string digest(64, 'a');
  EXPECT_TRUE(ModelComment::Parse("soter-model name=n version=1 sha256=" + digest).ok());
  ModelComment with_head = ModelComment::Parse("soter-model name=n version=1 sha256=" + digest + " head=" + digest).value();
  EXPECT_EQ(with_head.head, with_head.digest);
  for (std::string text : {
           std::string("timestamp:1 file:f"), "soter-model name=n version=01 sha256=" + digest,
           "soter-model name=n version=+1 sha256=" + digest, "soter-model name=n version=1 sha256=" + digest + " ",
           "soter-model  name=n version=1 sha256=" + digest, "soter-model version=1 name=n sha256=" + digest,
           "soter-model name=n version=18446744073709551616 sha256=" + digest,
           "soter-model name= version=1 sha256=" + digest, "soter-model name=n version=1 sha256=" + digest.substr(2),
           "soter-model name=n version=1 sha256=" + std::string(64, 'A'), std::string("soter-model "), std::string(),
           "soter-model name=n version=1 sha256=" + digest + " head=", "soter-model name=n version=1 head=" + digest,
           "soter-model name=n version=1 sha256=" + digest + " head=" + digest.substr(2),
           "soter-model name=n version=1 sha256=" + digest + " head=" + digest + " more=1"}) {
    EXPECT_EQ(ModelComment::Parse(text).error().code, ErrorCode::kMalformed) << text;
  }
}

}  // namespace
}  // namespace soter
