#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "tools/integrity/honest_operator.h"
#include "tools/integrity/report.h"

namespace soter::integrity {
namespace {

TEST(KolmogorovSmirnov, TellsShiftedSamplesApartAndEqualOnesNot) {
  auto random = MakeSeededRandom(5);
  std::vector<double> a, b, shifted;
  for (int i = 0; i < 400; ++i) {
    a.push_back(random->NextGaussian()), b.push_back(random->NextGaussian());
    shifted.push_back(random->NextGaussian() + 0.5);
  }
  EXPECT_GT(KolmogorovSmirnov(a, b).p_value, 0.01);
  EXPECT_LT(KolmogorovSmirnov(a, shifted).p_value, 1e-6);
  EXPECT_EQ(KolmogorovSmirnov({1, 2}, {3, 4}).statistic, 1);
  EXPECT_EQ(KolmogorovSmirnov(a, a).statistic, 0);
}

TEST(SpanAttackOnSessions, SucceedsAgainstFingerprintsAndFailsAgainstFreivalds) {
  CampaignOptions options;
  options.queries = 80, options.threads = 1;
  std::vector<SpanRow> rows = MeasureSpanAttack(options);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_GT(rows[0].wrong_accepted, 20u);
  EXPECT_EQ(rows[0].detected, 0u);
  EXPECT_EQ(rows[0].dimension, 8u);  // the cornerstones
  EXPECT_EQ(rows[1].wrong_accepted, 0u);
  EXPECT_GT(rows[1].detected, 0u);
}

// Each lie first without a check, which it must change the answer under, then with one, which must catch it.
TEST(Bugs, ChangeTheAnswerWithoutACheckAndAreCaughtByOne) {
  CampaignOptions options;
  options.runs = 2, options.large_runs = 0, options.threads = 1;
  std::vector<BugRow> rows = MeasureBugs(options);
  ASSERT_GE(rows.size(), 24u);
  for (const BugRow& row : rows) {
    if (row.check == "none") EXPECT_EQ(row.changed, row.runs) << row.bug;
    // A millionth, or one bit of one element, may be below the tolerance: measured, not promised.
    else if (row.bug != "below-tolerance" && row.bug != "flip-one-bit") EXPECT_EQ(row.caught, row.runs) << row.bug;
  }
}

TEST(Detection, KeepsTheBoundForEveryAttackAndSize) {
  CampaignOptions options;
  options.runs = 60, options.large_runs = 0;
  for (const DetectionRow& row : MeasureDetection(options)) {
    if (row.runs == 0) continue;
    double missed = static_cast<double>(row.runs - row.caught), miss = 1 - row.bound, runs = static_cast<double>(row.runs);
    EXPECT_LE(missed, runs * miss + 5 * std::sqrt(runs * miss * (1 - miss)) + 2)
        << row.operator_name << ", " << row.attack << ", " << row.size;
  }
}

TEST(FalseAlarms, ThereAreNone) {
  CampaignOptions options;
  options.columns = 500;
  for (const FalseAlarmRow& row : MeasureFalseAlarms(options)) {
    EXPECT_EQ(row.alarms, 0) << row.family << ", " << row.inputs;
    EXPECT_GE(row.columns, 500);
    EXPECT_LT(row.largest, row.factor / 1.5) << row.family << ", " << row.inputs;
  }
}

TEST(Report, IsWrittenAlsoWhenThereIsLittleToSay) {
  CampaignOptions options;
  options.report = (std::filesystem::temp_directory_path() / "soter-integrity-report-test").string();
  std::filesystem::remove_all(options.report);
  Campaign campaign;
  campaign.interrupted = true;
  campaign.detection.push_back({"an <operator>", "noise", 2.0, 10, 9, 0.84});
  ASSERT_TRUE(WriteReport(options, campaign).ok());
  for (const char* name : {"integrity.json", "integrity.html", "detection-1.svg"})
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(options.report) / name)) << name;
  std::filesystem::remove_all(options.report);
  options.report = "/proc/nowhere";
  EXPECT_EQ(WriteReport(options, campaign).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace soter::integrity
