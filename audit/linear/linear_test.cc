#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "audit/linear/assignment.h"
#include "audit/testing/synthetic.h"

namespace soter::audit {
namespace {

double Distance(const Matrix& a, const Matrix& b) { return Norm(a - b); }

TEST(Decompose, SingularValuesGiveTheMatrixBack) {
  Draw draw(1);
  for (auto [rows, columns] : {std::pair{5, 9}, {9, 5}, {7, 7}}) {
    Matrix a = draw.Gaussian(static_cast<size_t>(rows), static_cast<size_t>(columns));
    Svd svd = Decompose(a);
    Matrix us = svd.u;
    for (size_t i = 0; i < us.rows(); ++i)
      for (size_t j = 0; j < us.columns(); ++j) us(i, j) *= svd.s[j];
    EXPECT_LT(Distance(us * svd.vt, a), 1e-12);
    EXPECT_TRUE(std::ranges::is_sorted(svd.s, std::greater<>()));
  }
}

TEST(Decompose, EigenvectorsOfASymmetricMatrix) {
  Matrix g = Draw(2).Gaussian(6, 6), a = g + Transposed(g);
  SymmetricEigen eigen = DecomposeSymmetric(a);
  Matrix scaled = eigen.vectors;
  for (size_t i = 0; i < 6; ++i)
    for (size_t j = 0; j < 6; ++j) scaled(i, j) *= eigen.values[j];
  EXPECT_LT(Distance(a * eigen.vectors, scaled), 1e-12);
}

TEST(LeastSquaresTest, FindsTheSolutionAndTheShortestWhereThereAreMany) {
  Draw draw(3);
  Matrix a = draw.Gaussian(20, 4), x = draw.Gaussian(4, 2);
  EXPECT_LT(Distance(LeastSquares(a, a * x), x), 1e-12);
  Matrix wide = draw.Gaussian(3, 8), y = draw.Gaussian(3, 1), shortest = LeastSquares(wide, y);
  EXPECT_LT(Distance(wide * shortest, y), 1e-12);
  EXPECT_LT(Distance(PseudoInverse(wide) * y, shortest), 1e-12);
}

TEST(LeastSquaresTest, ARidgeKeepsUnseenDirectionsAtTheStart) {
  Matrix a(1, 2), b(1, 1), start(2, 1);
  a(0, 0) = 1, b(0, 0) = 5, start(1, 0) = 7;
  Matrix x = RidgeLeastSquares(a, b, 1e-9, start);
  EXPECT_NEAR(x(0, 0), 5, 1e-6);
  EXPECT_NEAR(x(1, 0), 7, 1e-12);
}

TEST(NearestOrthogonalTest, UndoesARotation) {
  Draw draw(4);
  Matrix q = draw.Orthogonal(6), a = draw.Gaussian(9, 6);
  EXPECT_LT(Distance(NearestOrthogonal(TransposedTimes(a, a * q)), q), 1e-12);
}

TEST(AssignTest, AgreesWithTryingEveryPermutation) {
  Draw draw(5);
  for (int round = 0; round < 50; ++round) {
    Matrix gain = draw.Gaussian(4, 6);
    std::vector<size_t> order(6);
    std::iota(order.begin(), order.end(), 0);
    double best = -1e9;
    do {
      double sum = 0;
      for (size_t i = 0; i < 4; ++i) sum += gain(i, order[i]);
      best = std::max(best, sum);
    } while (std::ranges::next_permutation(order).found);
    std::vector<size_t> chosen = Assign(gain);
    double sum = 0;
    for (size_t i = 0; i < 4; ++i) sum += gain(i, chosen[i]);
    EXPECT_NEAR(sum, best, 1e-12);
    std::ranges::sort(chosen);
    EXPECT_EQ(std::ranges::adjacent_find(chosen), chosen.end());
  }
}

}  // namespace
}  // namespace soter::audit
