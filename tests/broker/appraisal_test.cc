// Evidence of real machines judged with a collateral directory that holds what several of them need, where SOTER_VECTORS
// has it.
#include "broker/appraisal.h"

#include <gtest/gtest.h>

#include "tests/attest/test_vectors.h"

namespace soter {
namespace {

struct RealMachine {
  PlatformKind platform;
  const char* report;
  const char* policy;
  const char* time;
};

constexpr RealMachine kMachines[] = {
    {PlatformKind::kSgx, "ph_sgx_quote", "sgx", "2025-07-01T00:00:00Z"},
    {PlatformKind::kTdx, "ph_tdx_quote", "tdx", "2025-07-01T00:00:00Z"},
    {PlatformKind::kSnp, "tr_test-report.bin", "snp", "2025-06-01T00:00:00Z"},
};

class AppraisalTest : public ::testing::TestWithParam<RealMachine> {
 protected:
  AppraisalTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "soter-collateral-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~AppraisalTest() override { std::filesystem::remove_all(directory_); }

  void Fill() {
    for (const char* name : {"ph_sgx_quote_collateral.json", "ph_tdx_quote_collateral.json", "tr_test-vcek.der",
                             "tr_milan.pem"})
      std::filesystem::copy(AttestationVectors() / name, directory_);
  }

  Appraisal Judge(const std::array<std::byte, 64>& report_data, const std::string& more = "") {
    std::ifstream file(std::string("examples/policies/") + GetParam().policy + ".toml");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    std::vector<ReleasePolicy> policies = {ParseReleasePolicy(text + more).value()};
    std::vector<Collateral> collaterals = LoadCollateral(directory_).value();
    Evidence evidence = {.platform = GetParam().platform, .report = ReadVector(GetParam().report)};
    return Appraise(evidence, {policies, collaterals, report_data, ParseTimestamp(GetParam().time).value(), PinnedRoots()});
  }

  std::string directory_;
};

INSTANTIATE_TEST_SUITE_P(Machines, AppraisalTest, ::testing::ValuesIn(kMachines));

TEST_P(AppraisalTest, ItsOwnReportDataIsAcceptedAndNoOther) {
  SKIP_WITHOUT_VECTORS();
  Fill();
  std::array<std::byte, 64> report_data = {};
  Appraisal other = Judge(report_data);
  EXPECT_FALSE(other.evidence.has_value());
  ASSERT_EQ(other.refusals.size(), 1u);
  ASSERT_EQ(other.refusals[0]["failed"].size(), 1u) << other.refusals;
  EXPECT_TRUE(other.refusals[0]["failed"][0].get<std::string>().starts_with("report_data.binding: "));
  std::ranges::copy(other.claims.report_data, report_data.begin());
  Appraisal own = Judge(report_data, "[release]\nactivations = 1\n");
  EXPECT_TRUE(own.evidence.has_value()) << own.refusals;
  EXPECT_EQ(own.accepted.size(), 1u);
}

TEST_P(AppraisalTest, WithoutCollateralItIsRefused) {
  SKIP_WITHOUT_VECTORS();
  std::array<std::byte, 64> report_data = {};
  std::ranges::copy(Judge(report_data).claims.report_data, report_data.begin());
  EXPECT_FALSE(Judge(report_data).evidence.has_value());
  Fill();
  EXPECT_TRUE(Judge(report_data).evidence.has_value());
}

TEST(LoadCollateral, WhatIsNoneIsNamed) {
  EXPECT_EQ(LoadCollateral("/nonexistent").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace soter
