#include "trusted/check/fingerprint.h"

#include <gtest/gtest.h>

#include <cmath>

#include "trusted/check/waiver.h"

namespace soter {
namespace {

// A dense operator y = W x + b computed in double, with one small rounding at the end.
class FingerprintTest : public ::testing::Test {
 protected:
  static constexpr int64_t kIn = 37, kOut = 11, kRows = 3, kCornerstones = 4;

  void SetUp() override {
    weight_ = Fill({kOut, kIn}), bias_ = Fill({kOut});
    std::vector<Tensor> inputs, outputs;
    for (int i = 0; i < kCornerstones; ++i) {
      inputs.push_back(Fill({kRows, kIn}));
      outputs.push_back(Compute(inputs.back().As<float>()));
    }
    Node node{"dense", Linear{}, {0, 1, 2}, {3}};
    fingerprint_.emplace(node, weight_, &bias_, std::move(inputs), std::move(outputs));
    x_.resize(kRows * kIn);
    fingerprint_->Draw(*random_, x_, drawn_);
    answer_ = Compute(x_);
  }

  Tensor Fill(Shape shape) {
    Tensor tensor = Tensor::Allocate({DType::kFloat32, std::move(shape)}).value();
    for (float& value : tensor.MutableAs<float>()) value = static_cast<float>(random_->NextGaussian());
    return tensor;
  }

  Tensor Compute(std::span<const float> x) {
    Tensor y = Tensor::Allocate({DType::kFloat32, {kRows, kOut}}).value();
    for (int64_t r = 0; r < kRows; ++r)
      for (int64_t m = 0; m < kOut; ++m) {
        double sum = bias_.As<float>()[static_cast<size_t>(m)];
        for (int64_t k = 0; k < kIn; ++k)
          sum += double{weight_.As<float>()[static_cast<size_t>(m * kIn + k)]} * x[static_cast<size_t>(r * kIn + k)];
        y.MutableAs<float>()[static_cast<size_t>(r * kOut + m)] = static_cast<float>(sum);
      }
    return y;
  }

  Result<Verified<PrivateTensor>> CheckAnswer() {
    return fingerprint_->Check(Claim({answer_.type(), Layout::kDense, answer_.mutable_bytes()}), drawn_);
  }

  std::unique_ptr<RandomSource> random_ = MakeSeededRandom(11);
  Tensor weight_, bias_, answer_;
  std::optional<Fingerprint> fingerprint_;
  Fingerprint::Combination drawn_;
  std::vector<float> x_;
};

TEST_F(FingerprintTest, AnHonestAnswerPasses) { EXPECT_TRUE(CheckAnswer().ok()); }

TEST_F(FingerprintTest, ManyHonestAnswersPass) {
  for (int i = 0; i < 1000; ++i) {
    fingerprint_->Draw(*random_, x_, drawn_);
    answer_ = Compute(x_);
    ASSERT_TRUE(CheckAnswer().ok()) << "draw " << i;
  }
}

TEST_F(FingerprintTest, ChangingAnyOneElementIsCaught) {
  for (float& value : answer_.MutableAs<float>()) {
    float honest = value;
    value += 1e-3f;
    EXPECT_EQ(CheckAnswer().error().code, ErrorCode::kIntegrity);
    value = honest;
  }
  EXPECT_TRUE(CheckAnswer().ok());  // restored
}

TEST_F(FingerprintTest, NaNIsCaught) {
  answer_.MutableAs<float>()[5] = std::nanf("");
  EXPECT_EQ(CheckAnswer().error().code, ErrorCode::kIntegrity);
}

TEST_F(FingerprintTest, TheAnswerToAnEarlierDrawIsCaught) {
  fingerprint_->Draw(*random_, x_, drawn_);
  EXPECT_EQ(CheckAnswer().error().code, ErrorCode::kIntegrity);
}

TEST_F(FingerprintTest, AnotherShapeIsMalformed) {
  Tensor other = Fill({kRows, kOut + 1});
  EXPECT_EQ(fingerprint_->Check(Claim({other.type(), Layout::kDense, other.mutable_bytes()}), drawn_).error().code,
            ErrorCode::kMalformed);
}

TEST_F(FingerprintTest, EachDrawIsFresh) {
  std::vector<float> before = x_;
  fingerprint_->Draw(*random_, x_, drawn_);
  EXPECT_NE(before, x_);
}

TEST(Waiver, CannotBeMadeWhereEveryResultIsChecked) {
  EXPECT_DEATH(Waiver(control::Check::kFreivalds), "every result is checked");
}

}  // namespace
}  // namespace soter
