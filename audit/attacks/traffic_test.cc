// Attacks on what crosses, each against synthetic traffic whose truth is known.

#include <gtest/gtest.h>

#include <cmath>

#include "audit/attacks/additive.h"
#include "audit/attacks/fingerprint_span.h"
#include "audit/attacks/kink_walk.h"
#include "audit/attacks/moment_regression.h"
#include "audit/attacks/pads.h"
#include "audit/attacks/sandwich.h"
#include "audit/attacks/source_separation.h"
#include "audit/controls/masks.h"
#include "audit/testing/synthetic.h"

namespace soter::audit {
namespace {

Matrix Relu(Matrix a) {
  for (double& value : a.values()) value = std::max(value, 0.0);
  return a;
}

std::vector<std::vector<uint32_t>> EachItsOwn(size_t count) {
  std::vector<std::vector<uint32_t>> candidates;
  for (uint32_t i = 0; i < count; ++i) candidates.push_back({i});
  return candidates;
}

TEST(Sandwich, OneReluUnitIsSolvedExactly) {
  Draw draw(11);
  Matrix x = draw.Gaussian(400, 64), w = draw.Gaussian(64, 1), y = x * w;
  for (double& value : y.values()) value = std::max(value + 0.3, 0.0);
  std::vector<double> found = ActiveRegression(x, EachItsOwn(400), y.values(), true, std::vector<double>(65, 0.0));
  for (size_t i = 0; i < 64; ++i) EXPECT_NEAR(found[i], w(i, 0), 1e-5);
  EXPECT_NEAR(found[64], 0.3, 1e-5);
}

TEST(Sandwich, WhatWasPooledIsSolvedFromTheAncestor) {
  Draw draw(12);
  Matrix x = draw.Gaussian(2000, 32), w = draw.Gaussian(32, 1), y = x * w;
  std::vector<std::vector<uint32_t>> windows;
  std::vector<double> pooled;
  for (uint32_t i = 0; i + 3 < 2000; i += 4) {
    windows.push_back({i, i + 1, i + 2, i + 3});
    pooled.push_back(std::max({y(i, 0), y(i + 1, 0), y(i + 2, 0), y(i + 3, 0), 0.0}));
  }
  std::vector<double> start;
  for (size_t i = 0; i < 32; ++i) start.push_back(w(i, 0) + draw.Uniform(-0.1, 0.1));
  start.push_back(0);
  std::vector<double> found = ActiveRegression(x, windows, pooled, true, start);
  for (size_t i = 0; i < 32; ++i) EXPECT_NEAR(found[i], w(i, 0), 1e-4);
}

TEST(Sandwich, NoActiveRowLeavesTheStart) {
  std::vector<double> start = {1, 2, 3}, target = {0, 0};
  EXPECT_EQ(ActiveRegression(Matrix(2, 2, 1.0), EachItsOwn(2), target, true, start), start);
}

TEST(Additive, AveragingLoadsRemovesAMaskThatIsDrawnAgain) {
  Draw draw(13);
  Pair pair = MakePair(draw, 24, 64, 0.3);
  std::vector<Matrix> loads;
  for (int load = 0; load < 32; ++load) loads.push_back(pair.truth + draw.Gaussian(24, 64));
  EXPECT_LT(Adp(AverageLoads(loads, pair.ancestor), pair), 0.5);
  std::vector<Matrix> fixed(32, loads.front());
  EXPECT_GT(Norm(AverageLoads(fixed, pair.ancestor) - pair.truth), Norm(pair.ancestor - pair.truth));
}

TEST(Additive, AConstantSpectrumLeaksHalf) {
  Draw draw(14);
  Pair pair = MakePair(draw, 48, 48);
  Matrix seen = pair.truth + 16.0 * std::sqrt(48.0) * draw.Orthogonal(48);
  EXPECT_NEAR(Adp(RemoveOrthogonalMask(seen, pair.ancestor), pair), 0.5, 0.05);
}

TEST(Additive, TapsThatShareAMaskLeakAllButTheirMean) {
  Draw draw(15);
  Pair pair = MakePair(draw, 16, 16 * 9);
  Matrix mask = draw.Gaussian(16, 16, 16), seen = pair.truth;
  for (size_t i = 0; i < 16; ++i)
    for (size_t c = 0; c < 16; ++c)
      for (size_t t = 0; t < 9; ++t) seen(i, c * 9 + t) += mask(i, c);
  EXPECT_NEAR(Adp(RemoveSharedTaps(seen, pair.ancestor, 9), pair), 1.0 / 9, 0.03);
}

TEST(Additive, FewStagesOfRotationsArePeeled) {
  Draw draw(16);
  Pair pair = MakePair(draw, 64, 64);
  std::optional<Matrix> found = PeelRotations(pair.truth + RotationMask(draw, 64, 64, 2, 16), pair.ancestor);
  ASSERT_TRUE(found.has_value());
  EXPECT_LT(Adp(*found, pair), 0.4);
}

TEST(Additive, FewStagesOfRotationsArePeeledFromAnOblongWeight) {
  Draw draw(25);
  Pair pair = MakePair(draw, 32, 144, 0.3);
  std::optional<Matrix> found = PeelRotations(pair.truth + RotationMask(draw, 32, 144, 2, 64), pair.ancestor);
  ASSERT_TRUE(found.has_value());
  EXPECT_LT(Adp(*found, pair), 0.4);
}

TEST(Additive, ManyStagesShowNoPartners) {
  Draw draw(17);
  Pair pair = MakePair(draw, 64, 64);
  EXPECT_FALSE(PeelRotations(pair.truth + RotationMask(draw, 64, 64, 24, 16), pair.ancestor).has_value());
}

TEST(Pads, AReusedPadIsTheLeastValueSent) {
  Draw draw(18);
  Matrix pad = draw.Gaussian(1, 50, 64), x = Relu(draw.Gaussian(40, 50)), sent = x;
  for (size_t i = 0; i < 40; ++i)
    for (size_t j = 0; j < 50; ++j) sent(i, j) += pad(0, j);
  ReusedPad reused = RecoverReusedPad(sent);
  EXPECT_GT(reused.found, 0.99);
  for (size_t j = 0; j < 50; ++j) EXPECT_DOUBLE_EQ(reused.pad[j], pad(0, j));
  EXPECT_FALSE(Freshness(sent).fresh());
}

TEST(Pads, FreshPadsLookFreshAndFewDirectionsDoNot) {
  Draw draw(19);
  Matrix x = Relu(draw.Gaussian(60, 40));
  EXPECT_TRUE(Freshness(x + draw.Gaussian(60, 40, 64)).fresh());
  EXPECT_EQ(RecoverReusedPad(x + draw.Gaussian(60, 40, 64)).found, 0);
  EXPECT_FALSE(Freshness(x + draw.Gaussian(60, 5, 64) * draw.Gaussian(5, 40)).fresh());
  EXPECT_FALSE(Freshness(x).fresh());
}

TEST(MomentRegression, PadsVanishFromMomentsWithTheAncestor) {
  Draw draw(20);
  size_t rows = 40000, k = 12, m = 6;
  Matrix truth = draw.Gaussian(m, k + 1), ancestor = truth + draw.Gaussian(m, k + 1, 0.3), x = Relu(draw.Gaussian(rows, k));
  Matrix targets = Relu(TimesTransposed(BesideEachOther(x, Matrix(rows, 1, 1.0)), truth));
  Matrix clean = x + draw.Gaussian(rows, k, 0.1), padded = x + draw.Gaussian(rows, k, 1);
  Matrix seen = targets + draw.Gaussian(rows, m, 1);
  Matrix found = RegressOnAncestor(padded, seen, clean, ancestor, 1e-6);
  EXPECT_LT(Norm(found - truth), 0.5 * Norm(ancestor - truth));
}

TEST(KinkWalk, EveryColumnOfAStaticStageIsFound) {
  Draw draw(21);
  size_t n = 16;
  Matrix a = draw.Gaussian(n, n, 0.25), b = draw.Gaussian(n, n, 0.25), shift = draw.Gaussian(n, 1, 0.1);
  auto stage = [&](std::span<const double> y) {
    Matrix input(n, 1);
    std::ranges::copy(y, input.values().begin());
    Matrix x = b * Relu(a * input + shift);
    return std::vector<double>(x.values().begin(), x.values().end());
  };
  StageGuess guess = WalkKinks(stage, n, 2000, 3);
  ASSERT_EQ(guess.outputs.columns(), n);
  for (size_t i = 0; i < n; ++i) {
    double best = 0;
    for (size_t j = 0; j < n; ++j) best = std::max(best, std::abs(Cosine(b.column(i), guess.outputs.column(j))));
    EXPECT_GT(best, 1 - 1e-6) << i;
  }
  Matrix inputs = draw.Gaussian(200, n, 3), shifts = Matrix(200, 1, 1.0) * Transposed(shift);
  Matrix outputs = TimesTransposed(Relu(TimesTransposed(inputs, a) + shifts), b);
  Matrix rows = SolveStageRows(guess.outputs, inputs, outputs);
  for (size_t i = 0; i < n; ++i) {
    double best = 0;
    for (size_t j = 0; j < n; ++j) best = std::max(best, std::abs(Cosine(a.row(i), rows.row(j).first(n))));
    EXPECT_GT(best, 1 - 1e-6) << i;
  }
}

TEST(KinkWalk, AStageThatRefusesGivesNothing) {
  StageGuess guess = WalkKinks([](std::span<const double>) { return std::vector<double>(); }, 8, 100, 1);
  EXPECT_TRUE(guess.refused);
  EXPECT_EQ(guess.calls, 1u);
  EXPECT_TRUE(guess.outputs.empty());
}

TEST(SourceSeparation, SparseRowsComeOutOfAFreshMix) {
  Draw draw(22);
  size_t rows = 12;
  Matrix h = draw.Gaussian(rows, 4096);
  for (double& value : h.values()) value = std::max(value - 0.3, 0.0);
  Matrix stacked = StackedOver(h, draw.Gaussian(4, 4096, 3));
  Matrix sources = SeparateSources(draw.Orthogonal(rows + 4) * stacked, 300, 1);
  ASSERT_EQ(sources.rows(), rows + 4);
  size_t found = 0;
  for (size_t i = 0; i < rows; ++i) {
    double mean = 0, best = 0;
    for (double value : h.row(i)) mean += value / 4096;
    for (double& value : h.row(i)) value -= mean;
    for (size_t j = 0; j < sources.rows(); ++j) best = std::max(best, std::abs(Cosine(h.row(i), sources.row(j))));
    found += best > 0.95;
  }
  EXPECT_GE(found, rows - 1);
}

TEST(FingerprintSpan, CornerstonesGiveThemselvesAway) {
  Draw draw(23);
  Matrix cornerstones = draw.Gaussian(6, 512);
  auto observe = [&](size_t count, std::vector<bool>& probes) {
    Matrix rows = Relu(draw.Gaussian(count, 512));
    for (size_t i = 0; i < count; ++i) {
      probes.push_back(draw.Uniform(0, 1) < 0.2);
      if (!probes.back()) continue;
      Matrix probe = draw.Gaussian(1, 6) * cornerstones;
      std::ranges::copy(probe.values(), rows.row(i).begin());
    }
    return rows;
  };
  std::vector<bool> ignored, is_probe;
  Matrix basis = SharedSpan(observe(60, ignored), observe(60, ignored));
  ASSERT_EQ(basis.columns(), 6u);
  std::vector<double> outside = OutsideSpan(basis, observe(100, is_probe));
  for (size_t i = 0; i < 100; ++i) EXPECT_EQ(outside[i] < kInSpan, is_probe[i]) << i;
}

TEST(FingerprintSpan, OrdinaryTrafficSharesNoDirection) {
  Draw draw(24);
  EXPECT_TRUE(SharedSpan(Relu(draw.Gaussian(50, 512)), Relu(draw.Gaussian(50, 512))).empty());
}

}  // namespace
}  // namespace soter::audit
