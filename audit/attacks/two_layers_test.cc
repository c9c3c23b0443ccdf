// The walk across kinks, against a stage whose layers are known.

#include <gtest/gtest.h>

#include <cmath>

#include "audit/attacks/two_layers.h"
#include "audit/testing/synthetic.h"

namespace soter::audit {
namespace {

constexpr size_t kInputs = 96, kUnits = 12, kOutputs = 5;

Matrix Evaluate(const TwoLayers& layers, const Matrix& inputs) {
  Matrix hidden = TimesTransposed(BesideEachOther(inputs, Matrix(inputs.rows(), 1, 1.0)), layers.first);
  for (double& value : hidden.values()) value = std::max(value, 0.0);
  return TimesTransposed(BesideEachOther(hidden, Matrix(inputs.rows(), 1, 1.0)), layers.second);
}

Matrix InFloats(const Matrix& a) { return Matrix::FromFloats(a.rows(), a.columns(), a.ToFloats()); }

class TwoLayersTest : public ::testing::Test {
 protected:
  Draw draw_{31};
  Pair first_ = MakePair(draw_, kUnits, kInputs + 1, 0.2), second_ = MakePair(draw_, kOutputs, kUnits + 1, 0.2);
  TwoLayers ancestor_{first_.ancestor, second_.ancestor}, truth_{first_.truth, second_.truth};
  RowsOracle stage_ = [this](const Matrix& rows) -> Result<Matrix> { return InFloats(Evaluate(truth_, rows)); };
};

TEST_F(TwoLayersTest, BothLayersComeOutOfAnswersInSinglePrecision) {
  Result<TwoLayersWalk> walk = WalkTwoLayers(stage_, ancestor_, SIZE_MAX, 1);
  ASSERT_TRUE(walk.ok());
  EXPECT_EQ(walk->units, kUnits);
  EXPECT_EQ(walk->rows, (kUnits + 1) * (kInputs + 1));
  for (size_t unit = 0; unit < kUnits; ++unit)
    EXPECT_GT(Cosine(walk->found.first.row(unit), first_.truth.row(unit)), 1 - 1e-6) << unit;
  EXPECT_LT(Adp(walk->found.first, first_), 0.05);
  EXPECT_LT(Adp(walk->found.second, second_), 0.3);  // five of its unknowns for each that the split leaves free
  Matrix inputs = draw_.Gaussian(50, kInputs), answers = Evaluate(truth_, inputs);
  EXPECT_LT(Norm(Evaluate(walk->found, inputs) - answers), 1e-2 * Norm(answers));
  EXPECT_GT(Norm(Evaluate(ancestor_, inputs) - answers), 0.1 * Norm(answers));
}

TEST_F(TwoLayersTest, UnitsThatWereNotWalkedStayTheAncestors) {
  Result<TwoLayersWalk> walk = WalkTwoLayers(stage_, ancestor_, 3, 1);
  ASSERT_TRUE(walk.ok());
  EXPECT_EQ(walk->units, 3u);
  for (size_t unit = 3; unit < kUnits; ++unit)
    for (size_t k = 0; k <= kInputs; ++k) EXPECT_EQ(walk->found.first(unit, k), ancestor_.first(unit, k));
}

TEST_F(TwoLayersTest, NoInputIsNegative) {
  double least = 1;
  RowsOracle watched = [&](const Matrix& rows) {
    least = std::min(least, *std::ranges::min_element(rows.values()));
    return stage_(rows);
  };
  ASSERT_TRUE(WalkTwoLayers(watched, ancestor_, SIZE_MAX, 2).ok());
  EXPECT_GE(least, 0);
}

TEST_F(TwoLayersTest, ARefusalEndsIt) {
  RowsOracle refuses = [](const Matrix&) -> Result<Matrix> { return IntegrityError("a check failed"); };
  Result<TwoLayersWalk> walk = WalkTwoLayers(refuses, ancestor_, SIZE_MAX, 1);
  ASSERT_FALSE(walk.ok());
  EXPECT_EQ(walk.error().code, ErrorCode::kIntegrity);
}

TEST_F(TwoLayersTest, AStageWithoutKinksGivesNothing) {
  Matrix slope = draw_.Gaussian(kOutputs, kInputs);
  RowsOracle linear = [&](const Matrix& rows) -> Result<Matrix> { return TimesTransposed(rows, slope); };
  Result<TwoLayersWalk> walk = WalkTwoLayers(linear, ancestor_, SIZE_MAX, 1);
  ASSERT_TRUE(walk.ok());
  EXPECT_EQ(walk->units, 0u);
  EXPECT_LE(walk->rows, 2 * (kUnits + 1) * (kInputs + 1));
  EXPECT_EQ(Norm(walk->found.first - ancestor_.first), 0);
}

}  // namespace
}  // namespace soter::audit
