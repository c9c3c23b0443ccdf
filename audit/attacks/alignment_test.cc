// Which operator of the ancestor is which of those seen: by shape, likeness and order.

#include "audit/attacks/alignment.h"

#include <gtest/gtest.h>

#include "audit/controls/masks.h"
#include "audit/testing/small_network.h"
#include "audit/testing/synthetic.h"

namespace soter::audit {
namespace {

Tensor Batch() {
  std::vector<float> values = Draw(2).Gaussian(1, 8 * 2 * 16).ToFloats();
  return Tensor::FromValues<float>({8, 2, 4, 4}, std::span<const float>(values));
}

class AlignmentTest : public ::testing::Test {
 protected:
  AlignmentTest() {
    Tensor batch = Batch();
    ControlMask mask{.name = "scaled", .hide = [](const Layer& layer, uint64_t) { return 3.0 * layer.weight; }};
    view_ = std::move(MaskedViews(truth_, mask, std::span(&batch, 1), 1).value().front());
  }

  SmallNetwork public_{5};
  StaticGraph ancestor_ = public_.Bound(), truth_ = public_.Near(0.2, 6).Bound();
  View view_;
};

TEST_F(AlignmentTest, OperatorsAreToldByTheirShapes) {
  Alignment alignment = Align(ancestor_, view_);
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(alignment.sightings[i].has_value()) << i;
    EXPECT_EQ(alignment.sightings[i]->segment, i);
  }
  ValueId sent = view_.segments[0].graph.graph().inputs[0].value;
  EXPECT_EQ(alignment.names[0].at(sent), public_.x);
}

TEST_F(AlignmentTest, TheOrderOfSegmentsDoesNotMatter) {
  std::ranges::reverse(view_.segments);
  Alignment alignment = Align(ancestor_, view_);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(alignment.sightings[i]->segment, 2 - i);
}

TEST_F(AlignmentTest, WhatWasNotSeenHasNoSighting) {
  view_.segments.erase(view_.segments.begin() + 1);
  view_.runs.clear();
  Alignment alignment = Align(ancestor_, view_);
  EXPECT_TRUE(alignment.sightings[0].has_value() && alignment.sightings[2].has_value());
  EXPECT_FALSE(alignment.sightings[1].has_value());
}

TEST_F(AlignmentTest, AWeightThatIsThereTwiceIsOne) {
  view_.segments.push_back(view_.segments[0]);
  Alignment alignment = Align(ancestor_, view_);
  EXPECT_EQ(alignment.sightings[0]->segment, 0u);
}

TEST_F(AlignmentTest, AnEmptyView) {
  Alignment alignment = Align(ancestor_, View{});
  EXPECT_EQ(alignment.layers.size(), 3u);
  EXPECT_FALSE(alignment.sightings[0].has_value());
}

TEST_F(AlignmentTest, StrangersHaveNoPlace) {
  view_.segments = {{SmallNetwork(9).Bound()}};
  SmallNetwork other{9};
  other.graph.nodes.resize(1);
  other.graph.outputs = {other.conv};
  std::erase_if(other.graph.initializers,
                [&](const Initializer& i) { return std::ranges::count(other.graph.nodes[0].inputs, i.value) == 0; });
  view_.segments = {{other.Bound()}};
  Alignment alignment = Align(ancestor_, view_);
  EXPECT_TRUE(alignment.sightings[0].has_value());  // of the right shape: whose weights they are, likeness says
  EXPECT_LT(Likeness(alignment.sightings[0]->seen.weight, alignment.layers[0].weight), 0.5);
}

// A segment with several operators: names reach what lies between them.
TEST_F(AlignmentTest, NeighboursOfAnOperatorGetTheirNames) {
  view_.segments = {{truth_}};
  Alignment alignment = Align(ancestor_, view_);
  for (ValueId value : {public_.x, public_.conv, public_.flat, public_.activated, public_.y})
    EXPECT_EQ(alignment.names[0].at(value), value);
}

TEST(LikenessTest, ScaleAndSignDoNotMatterRotationsCostHalf) {
  Draw draw(4);
  Pair pair = MakePair(draw, 12, 30);
  EXPECT_GT(Likeness(-7.0 * pair.truth, pair.ancestor), 0.99);
  double rotated = Likeness(draw.Orthogonal(12) * pair.truth, pair.ancestor);
  EXPECT_GT(rotated, 0.4);
  EXPECT_LE(rotated, 0.5);
  EXPECT_LT(Likeness(draw.Gaussian(12, 30), pair.ancestor), 0.5);
}

}  // namespace
}  // namespace soter::audit
