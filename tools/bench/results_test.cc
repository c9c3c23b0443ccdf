#include "tools/bench/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/bench/claims.h"
#include "tools/bench/compare.h"
#include "tools/bench/page.h"
#include "tools/bench/paper.h"
#include "tools/bench/results_json.h"

namespace soter::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Measurement Timed(const std::string& model, const std::string& scheme, std::vector<double> round_ms, double theta = 1,
                  const std::string& variant = "") {
  Measurement m{.configuration = {.model = model, .scheme = scheme, .check = "none", .variant = variant, .theta = theta}};
  for (double ms : round_ms) m.rounds.push_back(std::vector<control::Latency>(3, {.trusted = ms, .total = ms}));
  return m;
}

Results Sample() {
  Results results{.machine = "a machine", .tee = "dev", .backend = "cpu", .device = "a processor", .date = "2030-01-01",
                  .version = "1", .protocol = {2, 3, 1, 2}, .complete = true};
  results.measurements = {Timed("mlp", "insecure", {1, 2}), Timed("mlp", "soter", {2, 6}, 0.8), Timed("mlp", "mlcapsule", {3, 9}),
                          Timed("mlp", "aegisdnn", {2, 5}, 0.8, kSameSet)};
  results.measurements[1].expected_ms = 2.2, results.measurements[1].predicted_round_ms = 2;
  return results;
}

const Claim& ClaimOf(const std::vector<Claim>& claims, const std::string& id) {
  return *std::find_if(claims.begin(), claims.end(), [&](const Claim& claim) { return claim.id == id; });
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

TEST(Claims, ComparisonsWithAFasterAcceleratorAreNotMeasurableOnOneProcessor) {
  std::vector<Claim> claims = JudgeClaims(Sample(), {});
  EXPECT_EQ(claims.size(), 9u);
  EXPECT_EQ(ClaimOf(claims, "C1").verdict, Verdict::kNotMeasurable);
  EXPECT_THAT(ClaimOf(claims, "C1").numbers, HasSubstr("of soter"));
  EXPECT_EQ(ClaimOf(claims, "C4").verdict, Verdict::kNotMeasured);
}

TEST(Claims, AreReproducedOrRefutedByTheNumbers) {
  Results results = Sample();
  results.backend = "cuda";
  EXPECT_EQ(ClaimOf(JudgeClaims(results, {}), "C1").verdict, Verdict::kNotMeasured);  // one network of six
  EXPECT_THAT(ClaimOf(JudgeClaims(results, {}), "C1").numbers, HasSubstr("1 of 6"));
  EXPECT_EQ(ClaimOf(JudgeClaims(results, {}), "C3").verdict, Verdict::kReproduced);
  results.measurements[2] = Timed("mlp", "mlcapsule", {1.5, 3});
  EXPECT_EQ(ClaimOf(JudgeClaims(results, {}), "C1").verdict, Verdict::kRefuted);
  results.measurements.push_back(Timed("mlp", "soter", {9, 9}, 1));
  EXPECT_EQ(ClaimOf(JudgeClaims(results, {}), "C5").verdict, Verdict::kRefuted);
}

TEST(Claims, LatencyAgainstInputNeedsNoOtherAccelerator) {
  Results results = Sample();
  results.measurements.push_back(Timed("mlp", "insecure", {4, 4}));
  results.measurements.back().configuration.batch = 4;
  EXPECT_EQ(ClaimOf(JudgeClaims(results, {}), "C4").verdict, Verdict::kReproduced);
}

TEST(Claims, ComeFromOtherReportsToo) {
  std::vector<Claim> others = ReadClaims(R"({"claims": [{"id": "C6", "verdict": "refuted", "numbers": "93% of 91%"},
                                             {"id": "C7", "verdict": "nonsense"}, 3]})");
  ASSERT_EQ(others.size(), 1u);
  std::vector<Claim> claims = JudgeClaims(Sample(), others);
  EXPECT_EQ(ClaimOf(claims, "C6").verdict, Verdict::kRefuted);
  EXPECT_EQ(ClaimOf(claims, "C7").verdict, Verdict::kNotMeasured);
  EXPECT_TRUE(ReadClaims("no json").empty());
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
