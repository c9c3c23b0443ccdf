#include "tools/bench/other_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "tools/bench/made_results.h"

namespace soter::bench {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json Curve(const char* scheme, double theta, std::vector<double> accuracy, const char* start = "guess") {
  return {{"victim", "digits"}, {"scheme", scheme}, {"theta", theta}, {"start", start}, {"labels", "soft"},
          {"queries", 100}, {"accuracy", accuracy}};
}

Claim OfAudit(const json& curves, const char* id) {
  return ClaimOf(ClaimsOfAudit(json{{"stealing", curves}}.dump()).value(), id);
}

TEST(OtherReports, StealingNoBetterThanFromEnnclaveReproducesC6) {
  json curves = {Curve("soter", 0.8, {0.70, 0.72}), Curve("ennclave", 0, {0.71, 0.71})};
  EXPECT_EQ(OfAudit(curves, "C6").verdict, Verdict::kReproduced);
  curves[0] = Curve("soter", 0.8, {0.90, 0.91});
  EXPECT_EQ(OfAudit(curves, "C6").verdict, Verdict::kRefuted);
  EXPECT_THAT(OfAudit(curves, "C6").numbers, HasSubstr("digits, soft labels, 100 queries: soter (theta 0.8) 90.5%"));
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kNotMeasured);
  EXPECT_THAT(OfAudit(curves, "C7").numbers, HasSubstr("aegisdnn"));
}

TEST(OtherReports, StealingLessThanFromAegisdnnReproducesC7) {
  json curves = {Curve("soter", 0.8, {0.70}), Curve("aegisdnn", 0, {0.90})};
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kReproduced);
  curves[0] = Curve("soter", 0.8, {0.89});  // less, but not by more than chance
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kRefuted);
  curves[1] = Curve("aegisdnn", 0, {0.99, 0.81});
  curves[0] = Curve("soter", 0.8, {0.70, 0.70});  // seeds differ by as much
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kRefuted);
}

TEST(OtherReports, SoterIsJudgedAtItsGreatestTheta) {
  json curves = {Curve("soter", 0.2, {0.1}), Curve("soter", 0.8, {0.9}), Curve("aegisdnn", 0, {0.5})};
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kRefuted);
}

TEST(OtherReports, SubstitutesThatSawNothingAreNoEvidence) {
  json curves = {Curve("soter", 0.8, {0.1}, "public"), Curve("aegisdnn", 0, {0.5})};
  EXPECT_EQ(OfAudit(curves, "C7").verdict, Verdict::kNotMeasured);
}

std::vector<double> Normal(size_t count, uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(10, 1);
  std::vector<double> sample(count);
  for (double& value : sample) value = normal(engine);
  return sample;
}

std::vector<double> OfFew(size_t count, size_t different) {
  std::vector<double> few = Normal(different, 7), sample(count);
  for (size_t i = 0; i < count; ++i) sample[i] = few[i % different];
  return sample;
}

Claim OfDistances(const std::vector<double>& oblivious, double ks_p, const std::vector<double>& fixed, const char* id) {
  json row = {{"operator", "linear operator 1"}, {"real", Normal(120, 1)}, {"oblivious", oblivious}, {"fixed", fixed},
              {"ks_oblivious", {{"d", 0.1}, {"p", ks_p}}}};
  return ClaimOf(ClaimsOfIntegrity(json{{"distances", {row}}}.dump()).value(), id);
}

TEST(OtherReports, NormalDistancesLikeRealOnesReproduceC8) {
  EXPECT_EQ(OfDistances(Normal(120, 2), 0.4, {}, "C8").verdict, Verdict::kReproduced);
  EXPECT_EQ(OfDistances(Normal(120, 2), 1e-9, {}, "C8").verdict, Verdict::kRefuted);
  std::vector<double> skewed = Normal(120, 2);
  for (double& value : skewed) value = std::exp(value);
  EXPECT_EQ(OfDistances(skewed, 0.4, {}, "C8").verdict, Verdict::kRefuted);
}

TEST(OtherReports, RepeatedDistancesOfFixedFingerprintsReproduceC9) {
  EXPECT_EQ(OfDistances({}, 1, OfFew(120, 10), "C9").verdict, Verdict::kReproduced);
  EXPECT_EQ(OfDistances({}, 1, Normal(120, 3), "C9").verdict, Verdict::kRefuted);
  EXPECT_THAT(OfDistances({}, 1, OfFew(120, 10), "C9").numbers, HasSubstr("100.0% (real inputs 0.0%)"));
}

TEST(OtherReports, NormalityHasTheRightFalseAlarms) {
  int alarms = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) alarms += NormalityP(Normal(120, seed)) < 0.01;
  EXPECT_LE(alarms, 16);  // asymptotically 4; the test is known to be somewhat off at such sizes
  EXPECT_EQ(NormalityP({1, 1, 1}), 0);
}

TEST(OtherReports, FilesOfOtherKindsAreRefused) {
  for (const char* text : {"", "no json", "[]", "{}", "{\"stealing\": 3}", "{\"claims\": []}"}) {
    Result<std::vector<Claim>> audit = ClaimsOfAudit(text), integrity = ClaimsOfIntegrity(text);
    ASSERT_FALSE(audit.ok() || integrity.ok()) << text;
    EXPECT_THAT(audit.error().message, HasSubstr("soter audit"));
    EXPECT_THAT(integrity.error().message, HasSubstr("--integrity"));
  }
}

TEST(OtherReports, OddEntriesAreNoEvidence) {
  EXPECT_EQ(OfAudit(json::parse(R"([1, null, "x", {"start": 3}, {"start": "guess", "accuracy": "y"}])"), "C6").verdict,
            Verdict::kNotMeasured);
  for (const char* id : {"C8", "C9"})
    EXPECT_EQ(ClaimOf(ClaimsOfIntegrity(R"({"distances": [3, {}]})").value(), id).verdict, Verdict::kNotMeasured) << id;
  EXPECT_EQ(ClaimOf(ClaimsOfIntegrity(R"({"distances": []})").value(), "C8").verdict, Verdict::kNotMeasured);
}

}  // namespace
}  // namespace soter::bench
