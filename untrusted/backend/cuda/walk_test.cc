#include "untrusted/backend/cuda/walk.h"

#include <gtest/gtest.h>

#include <cstring>

#include "common/compute/program.h"
#include "untrusted/backend/cuda/walk_plan.h"

namespace soter::cuda {
namespace {

using compute::BroadcastStrides;
using compute::DenseStrides;
using compute::Strided;

// ExpectSameWalk compares a walk with the uncollapsed one that it was made of, element by element.
void ExpectSameWalk(const Strided& strided) {
  Walk<2> walk = MakeWalk<2>(strided).value();
  ASSERT_EQ(walk.count, compute::Product(strided.extents));
  for (int64_t i = 0; i < walk.count; ++i) {
    int64_t expected[2] = {strided.offsets[0], strided.offsets[1]}, rest = i, at[2];
    for (size_t d = strided.extents.size(); d-- > 0;) {
      for (size_t k = 0; k < 2; ++k) expected[k] += rest % strided.extents[d] * strided.strides[k][d];
      rest /= strided.extents[d];
    }
    walk.At(i, at);
    EXPECT_EQ(at[0], expected[0]) << "element " << i;
    EXPECT_EQ(at[1], expected[1]) << "element " << i;
  }
}

TEST(Walk, FollowsTransposesSlicesAndBroadcasts) {
  ExpectSameWalk({.extents = {5, 3, 7}, .strides = {{21, 7, 1}, {7, 35, 1}}, .offsets = {0, 0}});
  ExpectSameWalk({.extents = {4, 3}, .strides = {{3, 1}, {-20, 2}}, .offsets = {0, 61}});
  ExpectSameWalk({.extents = {2, 3, 4, 5},
                  .strides = {DenseStrides({2, 3, 4, 5}), BroadcastStrides({3, 1, 5}, {2, 3, 4, 5})},
                  .offsets = {0, 0}});
}

TEST(Walk, FollowsAScalarAndNothing) {
  ExpectSameWalk({.extents = {}, .strides = {{}, {}}, .offsets = {3, 4}});
  EXPECT_EQ(MakeWalk<1>({.extents = {3, 0}, .strides = {{1, 1}}, .offsets = {0}}).value().count, 0);
}

TEST(Walk, FindsElementsBeyond32Bits) {
  int64_t rows = int64_t{1} << 20, columns = (int64_t{1} << 14) + 1;
  Walk<1> walk = MakeWalk<1>({.extents = {rows, columns}, .strides = {{1, rows}}, .offsets = {0}}).value();
  int64_t at[1];
  walk.At((rows - 1) * columns + 5, at);
  EXPECT_EQ(at[0], rows - 1 + 5 * rows);
}

TEST(Walk, MoreAxesThanAKernelFollowsAreRefused) {
  Strided walk{.strides = {{}, {}}, .offsets = {0, 0}};
  for (size_t d = 0; d < kMaxWalkRank + 1; ++d) {
    walk.extents.push_back(2);
    walk.strides[0].push_back(static_cast<int64_t>(3 * d));
    walk.strides[1].push_back(static_cast<int64_t>(5 * d * d));
  }
  EXPECT_EQ(MakeWalk<2>(walk).error().code, ErrorCode::kUnsupported);
}

class EveryLayout : public testing::TestWithParam<std::tuple<Layout, Shape>> {};

// The device's arithmetic against the CPU engine's conversion, through numbers that name their own place.
TEST_P(EveryLayout, AgreesWithRelayout) {
  auto [layout, shape] = GetParam();
  TensorType type{DType::kFloat32, shape};
  LaidOut laid_out{layout, shape[1], shape[2] * shape[3]};
  int64_t count = compute::Product(shape), stored = static_cast<int64_t>(LaidOutBytes(type, layout).value()) / 4;
  Buffer dense(static_cast<size_t>(count) * 4), moved(static_cast<size_t>(stored) * 4);
  for (int64_t i = 0; i < count; ++i) {
    float value = static_cast<float>(i + 1);
    std::memcpy(dense.bytes().data() + i * 4, &value, 4);
  }
  Relayout(type, Layout::kDense, dense.bytes().data(), layout, moved.bytes().data());
  for (int64_t i = 0; i < stored; ++i) {
    float value;
    std::memcpy(&value, moved.bytes().data() + i * 4, 4);
    EXPECT_EQ(OffsetInDense(laid_out, i), static_cast<int64_t>(value) - 1) << "element " << i;
  }
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ(OffsetInDense(laid_out, OffsetInLayout(laid_out, i)), i);
}

INSTANTIATE_TEST_SUITE_P(Layouts, EveryLayout,
                         testing::Combine(testing::Values(Layout::kDense, Layout::kNhwc, Layout::kNChw16c),
                                          testing::Values(Shape{1, 16, 3, 4}, Shape{2, 5, 3, 2}, Shape{3, 33, 1, 7},
                                                          Shape{2, 48, 5, 5}, Shape{1, 1, 4, 4})));

TEST(PaddedIndex, RepeatsAsTheModeSays) {
  auto row = [](PadMode mode) {
    std::vector<int64_t> indices;
    for (int64_t i = -3; i < 7; ++i) indices.push_back(PaddedIndex(mode, i, 4));
    return indices;
  };
  EXPECT_EQ(row(PadMode::kConstant), (std::vector<int64_t>{-1, -1, -1, 0, 1, 2, 3, -1, -1, -1}));
  EXPECT_EQ(row(PadMode::kReflect), (std::vector<int64_t>{3, 2, 1, 0, 1, 2, 3, 2, 1, 0}));
  EXPECT_EQ(row(PadMode::kEdge), (std::vector<int64_t>{0, 0, 0, 0, 1, 2, 3, 3, 3, 3}));
  EXPECT_EQ(row(PadMode::kWrap), (std::vector<int64_t>{1, 2, 3, 0, 1, 2, 3, 0, 1, 2}));
}

}  // namespace
}  // namespace soter::cuda
