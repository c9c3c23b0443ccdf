#include "tests/hostile/span_attack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace soter::hostile {
namespace {

std::mt19937_64& Random() {
  static std::mt19937_64 random(3);
  return random;
}

std::vector<double> Gaussian(size_t width) {
  std::normal_distribution<double> normal;
  std::vector<double> vector(width);
  for (double& value : vector) value = normal(Random());
  return vector;
}

Vectors GaussianSet(size_t count, size_t width) {
  Vectors set;
  for (size_t i = 0; i < count; ++i) set.push_back(Gaussian(width));
  return set;
}

double Dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

std::vector<float> Combine(const Vectors& cornerstones) {
  std::vector<double> factors = Gaussian(cornerstones.size()), sum(cornerstones[0].size(), 0.0);
  for (size_t k = 0; k < cornerstones.size(); ++k)
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += std::abs(factors[k]) * cornerstones[k][i];
  return {sum.begin(), sum.end()};
}

std::vector<float> Request(const std::vector<std::vector<float>>& rows) {
  std::vector<float> all;
  for (const auto& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

std::vector<float> User(size_t width) {
  std::vector<double> x = Gaussian(width);
  return {x.begin(), x.end()};
}

TEST(Orthonormalise, GivesOrthonormalDirectionsAndDropsDependentOnes) {
  Vectors set = GaussianSet(5, 40);
  set.push_back(set[0]);
  for (size_t i = 0; i < 40; ++i) set.back()[i] = set[1][i] - 2 * set[3][i];
  Vectors basis = Orthonormalise(set);
  ASSERT_EQ(basis.size(), 5u);
  for (size_t i = 0; i < 5; ++i)
    for (size_t j = 0; j < 5; ++j) EXPECT_NEAR(Dot(basis[i], basis[j]), i == j ? 1 : 0, 1e-12);
}

TEST(CommonSpan, IsWhatTwoSubspacesShare) {
  Vectors shared = GaussianSet(3, 60), a = GaussianSet(7, 60), b = GaussianSet(6, 60);
  a.insert(a.end(), shared.begin(), shared.end()), b.insert(b.end(), shared.begin(), shared.end());
  Vectors common = CommonSpan(Orthonormalise(a), Orthonormalise(b));
  ASSERT_EQ(common.size(), 3u);
  for (const auto& vector : shared) {
    double inside = 0;
    for (const auto& direction : common) inside += std::pow(Dot(direction, vector), 2);
    EXPECT_NEAR(inside / Dot(vector, vector), 1, 1e-10);
  }
}

TEST(CommonSpan, OfIndependentSubspacesIsEmpty) {
  EXPECT_TRUE(CommonSpan(Orthonormalise(GaussianSet(9, 60)), Orthonormalise(GaussianSet(8, 60))).empty());
}

TEST(SpanAttack, TellsFingerprintsFromUsersRowsAfterAboutTwiceAsManyAsThereAreCornerstones) {
  constexpr size_t kWidth = 300, kCornerstones = 8;
  Vectors cornerstones = GaussianSet(kCornerstones, kWidth);
  SpanAttack attack;
  for (int i = 0; i < 60; ++i) {
    bool first = Random()() % 2;
    std::vector<float> user = User(kWidth), fingerprint = Combine(cornerstones);
    std::vector<bool> targets = attack.Observe(first ? Request({user, fingerprint}) : Request({fingerprint, user}), 2);
    if (attack.state() == SpanAttack::State::kLooking || attack.found_after() == attack.requests()) {
      EXPECT_EQ(targets, std::vector<bool>(2, false));
    } else {
      EXPECT_EQ(targets, (std::vector<bool>{first, !first})) << "request " << i;
    }
  }
  EXPECT_EQ(attack.state(), SpanAttack::State::kFound);
  EXPECT_EQ(attack.dimension(), kCornerstones);
  EXPECT_GE(attack.found_after(), 2 * kCornerstones);
  EXPECT_LE(attack.found_after(), 2 * kCornerstones + 2 * SpanAttack::kAgreements);
}

TEST(SpanAttack, WithoutFingerprintsItGivesUpLookingAndSparesNoRow) {
  SpanAttack attack;
  std::vector<bool> targets;
  for (size_t i = 0; i < SpanAttack::kPatience; ++i) targets = attack.Observe(User(400), 1);
  EXPECT_EQ(attack.state(), SpanAttack::State::kNothing);
  EXPECT_EQ(targets, std::vector<bool>{true});
}

TEST(SpanAttack, ARowThatComesAgainIsNoFingerprint) {
  SpanAttack attack;
  std::vector<float> user = User(400);
  EXPECT_EQ(attack.Observe(user, 1), std::vector<bool>{false});
  EXPECT_EQ(attack.Observe(user, 1), std::vector<bool>{true});
}

TEST(SpanAttack, RowsThatAreLongerThanALiarHasTimeForAreLeftAlone) {
  SpanAttack attack;
  EXPECT_EQ(attack.Observe(std::vector<float>(SpanAttack::kMaxWidth + 1), 1), std::vector<bool>{false});
}

}  // namespace
}  // namespace soter::hostile
