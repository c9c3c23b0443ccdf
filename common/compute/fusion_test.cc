#include "common/compute/fusion.h"

#include <gtest/gtest.h>

#include "common/graph/testing/graph_builder.h"

namespace soter::compute {
namespace {

const Shape kImage = {1, 4, 5, 5};

// Net is a graph of 1x1 convolutions, additions and rectifiers over images of one shape.
struct Net : GraphBuilder {
  ValueId x = Input("x", kImage);

  ValueId ConvOf(ValueId v) {
    Conv conv{.window = {{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}};
    return Add(conv, {v, Weight({4, 4, 1, 1})});
  }
  ValueId ReluOf(ValueId v) { return Add(Unary{.kind = UnaryKind::kRelu}, {v}); }
  ValueId Sum(ValueId a, ValueId b) { return Add(Binary{.kind = BinaryKind::kAdd}, {a, b}); }
  std::vector<Unit> Plan() { return PlanFusion(Bind({kImage}).value()); }
};

TEST(Fusion, ConvTakesRelu) {
  Net net;
  ValueId y = net.ReluOf(net.ConvOf(net.x));
  net.Output(y);
  std::vector<Unit> units = net.Plan();
  ASSERT_EQ(units.size(), 1u);
  EXPECT_EQ(units[0].activation, Activation::kRelu);
  EXPECT_EQ(units[0].output, y);
}

TEST(Fusion, ConvTakesResidualAndRelu) {
  Net net;
  ValueId y = net.ReluOf(net.Sum(net.ConvOf(net.x), net.x));
  net.Output(y);
  std::vector<Unit> units = net.Plan();
  ASSERT_EQ(units.size(), 1u);
  EXPECT_EQ(units[0].residual, net.x);
  EXPECT_EQ(units[0].activation, Activation::kRelu);
}

TEST(Fusion, OneOfTwoConvsTakesTheirSumAndRunsAfterTheOther) {
  Net net;
  ValueId a = net.ConvOf(net.x), b = net.ConvOf(net.x);
  net.Output(net.Sum(a, b));
  std::vector<Unit> units = net.Plan();
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].output, b);
  EXPECT_EQ(units[1].residual, b);
}

TEST(Fusion, GraphOutputsAreNotAbsorbed) {
  Net net;
  ValueId pre = net.ConvOf(net.x);
  net.Output(pre, "pre");
  net.Output(net.ReluOf(pre), "post");
  std::vector<Unit> units = net.Plan();
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].activation, Activation::kNone);
}

TEST(Fusion, ValuesReadTwiceAreNotAbsorbed) {
  Net net;
  ValueId y = net.ConvOf(net.x);
  net.Output(net.Sum(net.ReluOf(y), y));
  EXPECT_EQ(net.Plan().size(), 3u);
}

TEST(Fusion, BroadcastAdditionsAreNotResiduals) {
  Net net;
  ValueId bias = net.Weight({4, 1, 1});
  net.Output(net.Sum(net.ConvOf(net.x), bias));
  std::vector<Unit> units = net.Plan();
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].residual, kNoValue);
}

}  // namespace
}  // namespace soter::compute
