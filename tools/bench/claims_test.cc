#include "tools/bench/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/bench/made_results.h"

// Each claim comes out each way that it can, by numbers alone.
namespace soter::bench {
namespace {

using testing::HasSubstr;

constexpr const char* kNetworks[] = {"mlp", "alexnet", "vgg19", "resnet152", "densenet121", "transformer"};

// What the paper found, on all six networks; on an accelerator of its own unless `backend` says otherwise.
Results AsInThePaper(const std::string& backend = "cuda") {
  Results results{.machine = "a machine", .backend = backend, .protocol = {2, 3, 1, 2}, .complete = true};
  for (const char* network : kNetworks)
    for (Measurement& m : std::vector{Timed(network, "insecure", {1, 1}), Timed(network, "mlcapsule", {9, 9}),
                                      Timed(network, "soter", {3.2, 3.3}, 0.8), Timed(network, "soter", {2, 2}, 1),
                                      Timed(network, "aegisdnn", {3, 3}), Timed(network, "aegisdnn", {3, 3}, 0.8, kSameSet)})
      results.measurements.push_back(std::move(m));
  return results;
}

Measurement& Of(Results& results, const std::string& network, const std::string& scheme, double theta = 1) {
  return *std::find_if(results.measurements.begin(), results.measurements.end(), [&](const Measurement& m) {
    const Configuration& c = m.configuration;
    return c.model == network && c.scheme == scheme && c.theta == theta;
  });
}

void Retime(Measurement& measurement, const std::vector<double>& round_ms) {
  measurement.rounds = Timed("", "", round_ms).rounds;
}

Claim Judged(const Results& results, const char* id) { return ClaimOf(JudgeClaims(results, {}), id); }

TEST(Claims, AllThatConcernLatencyAreReproducedByThePapersOwnNumbers) {
  for (const char* id : {"C1", "C2", "C3", "C5"}) EXPECT_EQ(Judged(AsInThePaper(), id).verdict, Verdict::kReproduced) << id;
}

TEST(Claims, NoneIsMeasurableWhereTheAcceleratorIsTheEnclavesOwnProcessor) {
  for (const char* id : {"C1", "C2", "C3", "C5"}) {
    Claim claim = Judged(AsInThePaper("cpu"), id);
    EXPECT_EQ(claim.verdict, Verdict::kNotMeasurable) << id;
    EXPECT_THAT(claim.numbers, HasSubstr("x")) << id;  // the numbers stand there all the same
  }
}

TEST(Claims, NoneIsJudgedWithoutMeasurements) {
  std::vector<Claim> claims = JudgeClaims({.backend = "cuda"}, {});
  ASSERT_EQ(claims.size(), 9u);
  for (const Claim& claim : claims) EXPECT_EQ(claim.verdict, Verdict::kNotMeasured) << claim.id;
}

TEST(Claims, OneNetworkOnWhichMlcapsuleIsFasterRefutesC1) {
  Results results = AsInThePaper();
  Retime(Of(results, "densenet121", "mlcapsule"), {3.1, 3.1});
  Claim claim = Judged(results, "C1");
  EXPECT_EQ(claim.verdict, Verdict::kRefuted);
  EXPECT_THAT(claim.numbers, HasSubstr("densenet121 0.9"));
}

TEST(Claims, C1NeedsAllSixNetworks) {
  Results results = AsInThePaper();
  std::erase_if(results.measurements, [](const Measurement& m) { return m.configuration.model == "mlp"; });
  EXPECT_EQ(Judged(results, "C1").verdict, Verdict::kNotMeasured);
  EXPECT_THAT(Judged(results, "C1").numbers, HasSubstr("5 of 6"));
}

TEST(Claims, SystemsThatAreFarApartOnVggRefuteC2) {
  for (double ms : {2.0, 6.0}) {
    Results results = AsInThePaper();
    Retime(Of(results, "vgg19", "aegisdnn"), {ms, ms});
    EXPECT_EQ(Judged(results, "C2").verdict, Verdict::kRefuted) << ms;
  }
}

TEST(Claims, MuchLongerOrShorterThanAegisdnnRefutesC3) {
  for (double ms : {2.5, 4.0}) {
    Results results = AsInThePaper();
    Retime(Of(results, "alexnet", "soter", 0.8), {ms, ms});
    EXPECT_EQ(Judged(results, "C3").verdict, Verdict::kRefuted) << ms;
    EXPECT_EQ(Judged(results, "C2").verdict, Verdict::kReproduced) << "VGG19 is another claim";
  }
}

TEST(Claims, LatencyAgainstInputNeedsNoOtherAccelerator) {
  for (double ms : {0.5, 4.0}) {
    Results results = AsInThePaper("cpu");
    results.measurements.push_back(Timed("mlp", "insecure", {ms, ms}));
    results.measurements.back().configuration.batch = 4;
    EXPECT_EQ(Judged(results, "C4").verdict, ms > 1 ? Verdict::kReproduced : Verdict::kRefuted);
    results.measurements.back().configuration.batch = 1;
    results.measurements.back().configuration.input_size = 448;
    EXPECT_EQ(Judged(results, "C4").verdict, ms > 1 ? Verdict::kReproduced : Verdict::kRefuted);
  }
}

TEST(Claims, LatencyThatRisesWithThetaRefutesC5) {
  Results results = AsInThePaper();
  Retime(Of(results, "mlp", "soter", 1), {9, 9});
  EXPECT_EQ(Judged(results, "C5").verdict, Verdict::kRefuted);
}

TEST(Claims, OnAModelledAcceleratorSaySo) {
  Results results = AsInThePaper("modelled");
  results.accelerator_model = "10x";
  Claim claim = Judged(results, "C1");
  EXPECT_EQ(claim.verdict, Verdict::kReproduced);
  EXPECT_THAT(claim.numbers, HasSubstr("modelled"));
}

TEST(Claims, OfOtherReportsAreTakenAsTheyAre) {
  std::vector<Claim> others = {{.id = "C6", .verdict = Verdict::kRefuted, .numbers = "93% of 91%"}};
  std::vector<Claim> claims = JudgeClaims(AsInThePaper(), others);
  EXPECT_EQ(ClaimOf(claims, "C6").verdict, Verdict::kRefuted);
  EXPECT_EQ(ClaimOf(claims, "C6").numbers, "93% of 91%");
  EXPECT_EQ(ClaimOf(claims, "C7").verdict, Verdict::kNotMeasured);
  EXPECT_THAT(ClaimOf(claims, "C8").numbers, HasSubstr("--integrity-json"));
}

}  // namespace
}  // namespace soter::bench
