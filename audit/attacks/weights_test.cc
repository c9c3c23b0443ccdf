// Each attack on weights recovers them from its own mask, and does not from what it was not made for.

#include <gtest/gtest.h>

#include "audit/attacks/low_rank.h"
#include "audit/attacks/mixing.h"
#include "audit/attacks/permutation.h"
#include "audit/attacks/scale_recovery.h"
#include "audit/testing/synthetic.h"

namespace soter::audit {
namespace {

constexpr size_t kRows = 32, kChannels = 32, kTaps = 9;

Matrix ScaledRows(const Matrix& a, Draw& draw) {
  Matrix scaled = a;
  for (size_t i = 0; i < a.rows(); ++i) {
    double factor = draw.Uniform(1, 6);
    for (double& value : scaled.row(i)) value *= factor;
  }
  return scaled;
}

class WeightAttacks : public ::testing::Test {
 protected:
  Draw draw_{7};
  Pair pair_ = MakePair(draw_, kRows, kChannels * kTaps);
};

TEST_F(WeightAttacks, AScaleIsDividedOut) {
  EXPECT_LT(Adp(WithoutScale(3.7 * pair_.truth, pair_.ancestor), pair_), 0.01);
}

TEST_F(WeightAttacks, PermutedAndScaledRowsAreMatched) {
  Matrix seen = Rows(ScaledRows(pair_.truth, draw_), draw_.Permutation(kRows));
  EXPECT_LT(Adp(MatchRows(seen, pair_.ancestor), pair_), 0.02);
}

TEST_F(WeightAttacks, PermutedAndScaledRowsAndChannelsAreMatched) {
  Matrix rows = Rows(ScaledRows(pair_.truth, draw_), draw_.Permutation(kRows));
  std::vector<size_t> columns;
  for (size_t channel : draw_.Permutation(kChannels))
    for (size_t t = 0; t < kTaps; ++t) columns.push_back(channel * kTaps + t);
  EXPECT_LT(Adp(MatchRowsAndChannels(Columns(rows, columns), pair_.ancestor, kTaps), pair_), 0.03);
}

TEST_F(WeightAttacks, AMaskOfLowRankIsPeeled) {
  Matrix mask = draw_.Gaussian(kRows, 8) * draw_.Gaussian(8, kChannels * kTaps);
  Matrix seen = pair_.truth + (Norm(pair_.truth) / Norm(mask)) * mask;
  EXPECT_LT(Adp(PeelLowRank(seen, pair_.ancestor, 16), pair_), 0.35);
}

TEST_F(WeightAttacks, ASharedDirectionIsPeeled) {
  Matrix v = draw_.Gaussian(1, kChannels * kTaps), b = draw_.Gaussian(kRows, 1);
  Matrix seen = ScaledRows(pair_.truth, draw_) + 5.0 * (b * v);
  EXPECT_LT(Adp(PeelSharedDirection(seen, pair_.ancestor), pair_), 0.06);
}

TEST_F(WeightAttacks, GroupsOfFourAreUnmixed) {
  Matrix seen(kRows, kChannels * kTaps);
  std::vector<size_t> order = draw_.Permutation(kRows);
  for (size_t g = 0; g < kRows; g += 4) {
    Matrix mixed = draw_.Gaussian(4, 4) * Rows(pair_.truth, std::span(order).subspan(g, 4));
    for (size_t i = 0; i < 4; ++i) std::ranges::copy(mixed.row(i), seen.row(g + i).begin());
  }
  EXPECT_LT(Adp(UnmixGroups(seen, pair_.ancestor, 4), pair_), 0.05);
}

TEST_F(WeightAttacks, ADenseMixOfRowsLeaksWhatItsUnknownsLeave) {
  Matrix seen = draw_.Gaussian(kRows, kRows) * pair_.truth;
  EXPECT_NEAR(Adp(UnmixRows(seen, pair_.ancestor), pair_), 1.0 / kTaps, 0.03);
}

TEST_F(WeightAttacks, ARotationOfTheInputsIsUndone) {
  Matrix q = draw_.Orthogonal(kChannels);
  std::vector<double> unused;
  Matrix seen(kRows, kChannels * kTaps);
  for (size_t i = 0; i < kRows; ++i)
    for (size_t c = 0; c < kChannels; ++c)
      for (size_t t = 0; t < kTaps; ++t)
        for (size_t d = 0; d < kChannels; ++d) seen(i, c * kTaps + t) += pair_.truth(i, d * kTaps + t) * q(d, c);
  EXPECT_LT(Adp(UnrotateInputs(seen, pair_.ancestor, kTaps), pair_), 0.1);
}

TEST_F(WeightAttacks, MixesThatAllTapsShareAreSolved) {
  Matrix q1 = draw_.Orthogonal(kRows), q2 = draw_.Orthogonal(kChannels), rotated = q1 * pair_.truth;
  Matrix seen(kRows, kChannels * kTaps);
  for (size_t i = 0; i < kRows; ++i)
    for (size_t c = 0; c < kChannels; ++c)
      for (size_t t = 0; t < kTaps; ++t)
        for (size_t d = 0; d < kChannels; ++d) seen(i, c * kTaps + t) += rotated(i, d * kTaps + t) * q2(d, c);
  EXPECT_LT(Adp(UnrotateBoth(seen, pair_.ancestor, kTaps), pair_), 0.2);
}

// A mask with as many independent unknowns as the weight has leaves every attack at the ancestor or further away.
TEST_F(WeightAttacks, NothingIsLearnedFromAFullRandomMask) {
  Matrix seen = pair_.truth + draw_.Gaussian(kRows, kChannels * kTaps, 16);
  for (const Matrix& guess :
       {WithoutScale(seen, pair_.ancestor), MatchRows(seen, pair_.ancestor), PeelLowRank(seen, pair_.ancestor, 16),
        UnmixGroups(seen, pair_.ancestor, 4), UnmixRows(seen, pair_.ancestor)}) {
    EXPECT_GT(Norm(guess - pair_.truth), 0.98 * Norm(pair_.ancestor - pair_.truth));
  }
}

}  // namespace
}  // namespace soter::audit
