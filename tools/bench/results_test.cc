#include "tools/bench/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/bench/claims.h"
#include "tools/bench/compare.h"
#include "tools/bench/made_results.h"
#include "tools/bench/page.h"
#include "tools/bench/paper.h"
#include "tools/bench/results_json.h"

namespace soter::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Results Sample() {
  Results results{.machine = "a machine", .tee = "dev", .backend = "cpu", .device = "a processor", .date = "2030-01-01",
                  .version = "1", .protocol = {2, 3, 1, 2}, .complete = true};
  results.measurements = {Timed("mlp", "insecure", {1, 2}), Timed("mlp", "soter", {2, 6}, 0.8), Timed("mlp", "mlcapsule", {3, 9}),
                          Timed("mlp", "aegisdnn", {2, 5}, 0.8, kSameSet)};
  results.measurements[1].expected_ms = 2.2, results.measurements[1].predicted_round_ms = 2;
  return results;
}

TEST(Results, RatiosAreTakenWithinARound) {
  Results results = Sample();
  std::optional<Ratio> ratio = RatioOf(&results.measurements[1], &results.measurements[0]);
  ASSERT_TRUE(ratio.has_value());
  EXPECT_EQ(ratio->low, 2);
  EXPECT_EQ(ratio->high, 3);
  EXPECT_FALSE(RatioOf(&results.measurements[1], nullptr).has_value());
}

TEST(Results, EveryConfigurationHasALabelOfItsOwn) {
  Configuration half{.model = "mlp", .scheme = "aegisdnn", .check = "none", .variant = kSameSet, .theta = 0.5};
  Configuration whole = half;
  whole.theta = 1;
  EXPECT_NE(Label(half), Label(whole));
  EXPECT_NE(Label(half), "aegisdnn");
}

TEST(Results, JsonReadsBack) {
  Results results = Sample();
  std::string text = EncodeJson(results, JudgeClaims(results, {}));
  Result<Results> again = DecodeJson(text);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(EncodeJson(*again, JudgeClaims(*again, {})), text);
}

// Other programs read these names.
TEST(Results, TheJsonsNamesStayTheSame) {
  std::string text = EncodeJson(Sample(), JudgeClaims(Sample(), {}));
  for (const char* name : {"\"schema\": 1", "\"kind\": \"measured\"", "\"machine\"", "\"tee\"", "\"worker\"", "\"protocol\"",
                           "\"complete\"", "\"measurements\"", "\"claims\"", "\"configuration\"", "\"latency_ms\"",
                           "\"of_insecure\"",
                           "\"counts\"", "\"expected_ms\"", "\"rounds_ms\"", "\"verdict\"", "\"skipped\""})
    EXPECT_THAT(text, HasSubstr(name));
}

TEST(Results, WhatIsNoReportIsRefused) {
  for (const char* text : {"", "[]", "{}", "{\"schema\": 2}", "{\"schema\": 1}", "{\"schema\": 1, \"protocol\": 3}"}) {
    Result<Results> results = DecodeJson(text);
    ASSERT_FALSE(results.ok()) << text;
    EXPECT_EQ(results.error().code, ErrorCode::kInvalidArgument);
  }
}

TEST(Results, CsvHasARowForEachRepeat) {
  std::string csv = EncodeCsv(Sample());
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 4 * 2 * 3);
  EXPECT_THAT(csv, HasSubstr("measured,mlp,soter"));
}

TEST(Modelled, TheWordStandsInEveryFile) {
  Results results = Sample();
  results.accelerator_model = "10x", results.backend = "modelled";
  std::vector<Claim> claims = JudgeClaims(results, {});
  EXPECT_THAT(EncodeJson(results, claims), HasSubstr("\"kind\": \"modelled\""));
  EXPECT_THAT(EncodeJson(results, claims), Not(HasSubstr("\"kind\": \"measured\"")));
  EXPECT_THAT(EncodeCsv(results), HasSubstr("modelled,mlp"));
  std::string html = EncodeHtml(results, claims);
  EXPECT_THAT(html, HasSubstr("MODELLED"));
  EXPECT_THAT(html, HasSubstr("insecure accelerator inference (MODELLED, 10x)"));
  EXPECT_THAT(html, HasSubstr("Amdahl"));
  EXPECT_THAT(ClaimOf(claims, "C1").numbers, HasSubstr("modelled"));
}

TEST(Compare, TellsAChangeFromTheSpread) {
  Results before = Sample(), after = Sample();
  after.measurements[0] = Timed("mlp", "insecure", {0.5, 0.6});
  std::string text = CompareText(before, after).value();
  EXPECT_THAT(text, HasSubstr("faster"));
  EXPECT_THAT(text, HasSubstr("within the spread"));
  after.machine = "another";
  EXPECT_THAT(CompareText(before, after).value(), HasSubstr("WARNING"));
}

TEST(Compare, NeverMixesModelledAndMeasured) {
  Results modelled = Sample();
  modelled.accelerator_model = "10x";
  EXPECT_FALSE(CompareText(Sample(), modelled).ok());
}

TEST(Prediction, ErrorIsTheMedian) {
  EXPECT_NEAR(MedianPredictionError(Sample()), 0.1, 1e-9);
  Results none = Sample();
  none.measurements[1].expected_ms = 0;
  EXPECT_LT(MedianPredictionError(none), 0);
}

TEST(Amdahl, EveryRoundHasItsOwnBound) {
  Results results = Sample();
  results.accelerator_model = "10x";
  results.measurements[1].shares = {0.5, 0.9};
  results.measurements[1].draws = Spread{0.4, 0.6, 0.9};
  std::string html = EncodeHtml(results, {});
  for (const char* text : {"1.82x", "5.26x", "1.56x, 2.17x, 5.26x"}) EXPECT_THAT(html, HasSubstr(text));
  std::string json = EncodeJson(results, {});
  EXPECT_EQ(EncodeJson(*DecodeJson(json), {}), json);
}

TEST(Amdahl, BoundsTheSpeedup) {
  EXPECT_DOUBLE_EQ(SpeedupBound(0.8, 0), 5);
  EXPECT_DOUBLE_EQ(SpeedupBound(0.9, 10), 1 / 0.19);
  EXPECT_DOUBLE_EQ(SpeedupBound(0, 10), 1);
}

TEST(Paper, KnowsItsOwnTables) {
  EXPECT_EQ(PaperFor("soter", "vgg19")->total, 45.01);
  EXPECT_FALSE(PaperFor("aegisdnn", "vgg19")->check.has_value());
  EXPECT_FALSE(PaperFor("soter", "lenet").has_value());
  EXPECT_EQ(PaperNormalised("mlcapsule", "transformer"), 36.1);
}

}  // namespace
}  // namespace soter::bench
