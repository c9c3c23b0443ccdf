#include "common/tensor/tensor.h"

#include <gtest/gtest.h>

namespace soter {
namespace {

TEST(ElementCount, MultipliesExtents) {
  EXPECT_EQ(ElementCount({2, 3, 4}).value(), 24);
  EXPECT_EQ(ElementCount({}).value(), 1);
  EXPECT_EQ(ElementCount({5, 0, 7}).value(), 0);
}

TEST(ElementCount, NegativeExtentIsMalformed) { EXPECT_EQ(ElementCount({2, -1}).error().code, ErrorCode::kMalformed); }

TEST(ElementCount, OverflowIsMalformed) {
  EXPECT_EQ(ElementCount({INT64_MAX, 2}).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ElementCount({int64_t{1} << 30, int64_t{1} << 30, 0}).error().code, ErrorCode::kMalformed);
}

TEST(ElementCount, RankOverTheLimitIsMalformed) {
  EXPECT_EQ(ElementCount(Shape(kMaxRank + 1, 1)).error().code, ErrorCode::kMalformed);
}

TEST(DTypeFromNumber, RefusesNumbersOutsideTheTable) {
  EXPECT_EQ(DTypeFromNumber(1).value(), DType::kFloat32);
  EXPECT_EQ(DTypeFromNumber(0).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(DTypeFromNumber(9).error().code, ErrorCode::kMalformed);
}

TEST(Tensor, CloneIsIndependent) {
  Tensor a = Tensor::FromValues<float>({2}, {1.0f, 2.0f});
  Tensor b = a.Clone();
  b.MutableAs<float>()[0] = 5.0f;
  EXPECT_EQ(a.As<float>()[0], 1.0f);
}

TEST(LaidOutBytes, BlockedLayoutPadsChannels) {
  TensorType type{DType::kFloat32, {1, 17, 2, 2}};
  EXPECT_EQ(LaidOutBytes(type, Layout::kDense).value(), 17u * 4 * 4);
  EXPECT_EQ(LaidOutBytes(type, Layout::kNChw16c).value(), 32u * 4 * 4);
}

TEST(LaidOutBytes, BlockedLayoutNeedsRankFourFloats) {
  EXPECT_EQ(LaidOutBytes({DType::kFloat32, {4, 4}}, Layout::kNhwc).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(LaidOutBytes({DType::kInt64, {1, 1, 1, 1}}, Layout::kNChw16c).error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace soter
