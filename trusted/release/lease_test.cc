#include "trusted/release/lease.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace soter {
namespace {

// A platform whose sealing keys depend on one number: another machine or another program has another.
class FakePlatform final : public Platform {
 public:
  explicit FakePlatform(uint8_t identity) : identity_(identity) {}
  PlatformKind kind() const override { return PlatformKind::kSnp; }
  std::string Describe() const override { return "fake"; }
  Result<PlatformReport> Produce(const ReportData&) override { return Unavailable("no report"); }
  Result<std::vector<std::byte>> Measurement() override { return Unavailable("no measurement"); }
  Result<Secret<std::array<std::byte, 32>>> SealingKey(std::string_view) override {
    if (identity_ == 0) return Unsupported("no sealing key");
    std::array<std::byte, 32> key = {std::byte{identity_}};
    return Secret<std::array<std::byte, 32>>(key);
  }

 private:
  uint8_t identity_;
};

Lease Make(uint32_t allowed, uint32_t used, std::string_view resource) {
  Lease lease = {.starts_allowed = allowed, .starts_used = used, .not_after_s = 2000, .resource = SecretBytes(resource.size())};
  std::ranges::copy(AsBytes(resource), lease.resource.Expose().begin());
  return lease;
}

RC_GTEST_PROP(LeaseFile, IsReadAsItWasWritten, (uint32_t allowed, uint32_t used, int64_t end, std::string resource)) {
  FakePlatform machine(1);
  Lease lease = Make(allowed, used, resource);
  lease.not_after_s = end;
  Lease read = OpenLease(SealLease(lease, machine).value(), machine).value();
  RC_ASSERT(read.starts_allowed == allowed && read.starts_used == used && read.not_after_s == end);
  RC_ASSERT(AsText(read.resource.Expose()) == resource);
}

TEST(LeaseFile, WithAnyByteChangedOrMissingIsRefused) {
  FakePlatform machine(1);
  std::vector<std::byte> good = SealLease(Make(3, 1, "resource"), machine).value();
  for (size_t i = 0; i < good.size(); ++i) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_EQ(OpenLease(bad, machine).error().code, ErrorCode::kAuth) << i;
    EXPECT_EQ(OpenLease(std::span(good).first(i), machine).error().code, ErrorCode::kAuth) << i;
  }
  EXPECT_EQ(OpenLease(std::vector<std::byte>(kMaxLeaseBytes + 1), machine).error().code, ErrorCode::kAuth);
  EXPECT_TRUE(OpenLease(good, machine).ok());
}

TEST(LeaseFile, OfAnotherMachineOrProgramIsRefused) {
  FakePlatform machine(1), other(2), none(0);
  std::vector<std::byte> sealed = SealLease(Make(3, 1, "resource"), machine).value();
  EXPECT_EQ(OpenLease(sealed, other).error().code, ErrorCode::kAuth);
  EXPECT_EQ(OpenLease(sealed, none).error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(SealLease(Make(3, 1, "resource"), none).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(OpenLease(sealed, machine).ok());
}

TEST(LeaseFile, HidesWhatItHolds) {
  FakePlatform machine(1);
  std::vector<std::byte> first = SealLease(Make(3, 1, "resource"), machine).value();
  EXPECT_EQ(AsText(first).find("resource"), std::string_view::npos);
  EXPECT_NE(SealLease(Make(3, 1, "resource"), machine).value(), first);
}

TEST(UseLease, CountsUntilAllStartsAreUsed) {
  Lease lease = Make(2, 0, "");
  EXPECT_TRUE(UseLease(lease, 1999).ok());
  EXPECT_TRUE(UseLease(lease, 1999).ok());
  Status third = UseLease(lease, 1999);
  EXPECT_EQ(third.error().code, ErrorCode::kAuth);
  EXPECT_NE(third.error().message.find("all of its 2 starts"), std::string::npos);
  EXPECT_EQ(lease.starts_used, 2u);
}

TEST(UseLease, EndsWithItsTime) {
  Lease lease = Make(2, 0, "");
  Status late = UseLease(lease, 2000);
  EXPECT_EQ(late.error().code, ErrorCode::kAuth);
  EXPECT_NE(late.error().message.find("1970-01-01T00:33:20Z"), std::string::npos);
  EXPECT_TRUE(UseLease(lease, 1999).ok());
}

}  // namespace
}  // namespace soter
