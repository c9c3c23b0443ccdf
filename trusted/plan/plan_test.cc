#include "trusted/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/graph/op_traits.h"
#include "trusted/testing/networks.h"

namespace soter {
namespace {

using ::testing::HasSubstr;

StaticGraph BoundCnn() { return Bind(testing::SmallCnn(), std::vector<Shape>{{1, 3, 12, 12}}).value(); }
StaticGraph BoundWideCnn() { return Bind(testing::WideCnn(), std::vector<Shape>{{1, 3, 12, 12}}).value(); }

Selection AllLinear(const StaticGraph& graph) {
  Selection all;
  for (const Node& node : graph.graph().nodes)
    if (IsLinear(node.op)) all.insert(node.outputs[0]);
  return all;
}

TEST(SelectAtRandom, TakesTheRoundedShare) {
  ValidatedGraph graph = testing::SmallCnn();
  auto random = MakeSystemRandom();
  EXPECT_EQ(SelectAtRandom(graph.graph(), 0.0, *random).size(), 0u);
  EXPECT_EQ(SelectAtRandom(graph.graph(), 0.5, *random).size(), 3u);  // of 5
  EXPECT_EQ(SelectAtRandom(graph.graph(), 1.0, *random).size(), 5u);
}

TEST(SelectAtRandom, EveryOperatorIsPickedAboutEquallyOften) {
  ValidatedGraph graph = testing::SmallCnn();
  auto random = MakeSeededRandom(3);
  std::map<ValueId, int> picked;
  for (int i = 0; i < 5000; ++i)
    for (ValueId value : SelectAtRandom(graph.graph(), 0.4, *random)) ++picked[value];
  EXPECT_EQ(picked.size(), 5u);
  for (auto [value, count] : picked) EXPECT_NEAR(count, 2000, 175);  // 5 standard deviations
}

// Two convolutions inside one shortcut leave both factors free; the softmax is not homogeneous.
StaticGraph ResidualNetwork() {
  testing::GraphBuilder b;
  ValueId x = b.Input("x", {Dim::Constant(1), Dim::Constant(16), Dim::Constant(8), Dim::Constant(8)});
  ValueId a = b.Relu(b.Conv3x3(x, 16, 16));
  ValueId c = b.Relu(b.Add(b.Conv3x3(b.Relu(b.Conv3x3(a, 16, 16)), 16, 16), a));
  return Bind(b.Finish({b.Apply(Softmax{}, {c})}), std::vector<Shape>{{1, 16, 8, 8}}).value();
}

TEST(PlaceSoter, AtThetaOneOneSegmentCarriesAllButTheSoftmax) {
  StaticGraph graph = ResidualNetwork();
  Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kNone, AllLinear(graph)).value().plan();
  ASSERT_EQ(plan.stages.size(), 2u);
  EXPECT_TRUE(plan.stages[0].accelerator);
  EXPECT_FALSE(plan.stages[1].accelerator);
  EXPECT_EQ(plan.stages[1].nodes.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Softmax>(graph.graph().nodes[plan.stages[1].nodes[0]].op));
}

TEST(PlaceSoter, ASumThatWouldForceTheFactorOneIsTakenBack) {
  StaticGraph graph = BoundCnn();  // its shortcut spans one convolution only
  Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kNone, AllLinear(graph)).value().plan();
  for (size_t i = 0; i < plan.placement.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    if (IsLinear(node.op)) {
      EXPECT_TRUE(plan.placement[i].masked) << node.name;
    }
    if (std::holds_alternative<Binary>(node.op)) {
      EXPECT_FALSE(plan.placement[i].accelerator);
    }
  }
}

TEST(PlaceSoter, NothingSelectedLeavesEverythingInTheEnclave) {
  StaticGraph graph = BoundCnn();
  Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kNone, {}).value().plan();
  ASSERT_EQ(plan.stages.size(), 1u);
  EXPECT_FALSE(plan.stages[0].accelerator);
}

TEST(PlaceSoter, UnderFreivaldsATrailingActivationStaysHome) {
  StaticGraph graph = BoundWideCnn();
  ValueId first = graph.graph().nodes[2].outputs[0];
  Plan with_none = PlanGraph(graph, Scheme::kSoter, Check::kNone, {first}).value().plan();
  Plan with_freivalds = PlanGraph(graph, Scheme::kSoter, Check::kFreivalds, {first}).value().plan();
  EXPECT_EQ(with_none.stages[1].nodes.size(), 3u);
  EXPECT_EQ(with_freivalds.stages[1].nodes.size(), 1u);
}

TEST(SplitIntoStages, SidesAlternateAndEveryValueIsMadeBeforeItIsUsed) {
  StaticGraph graph = BoundCnn();
  auto random = MakeSystemRandom();
  for (int i = 0; i < 50; ++i) {
    Selection selection = SelectAtRandom(testing::SmallCnn().graph(), 0.6, *random);
    Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kNone, selection).value().plan();  // validates the order
    for (size_t s = 1; s < plan.stages.size(); ++s) EXPECT_NE(plan.stages[s].accelerator, plan.stages[s - 1].accelerator);
  }
}

TEST(SplitIntoStages, UnderFingerprintsEveryOffloadedOperatorStandsAlone) {
  StaticGraph graph = BoundCnn();
  Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kFingerprint, AllLinear(graph)).value().plan();
  size_t alone = 0;
  for (const Stage& stage : plan.stages) {
    if (!stage.accelerator) continue;
    EXPECT_EQ(stage.nodes.size(), 1u);
    EXPECT_TRUE(plan.placement[stage.nodes[0]].checked);
    ++alone;
  }
  EXPECT_EQ(alone, 5u);
}

class BrokenPlan : public ::testing::Test {
 protected:
  StaticGraph graph_ = BoundCnn();
  Plan plan_ = PlanGraph(graph_, Scheme::kSoter, Check::kNone, AllLinear(graph_)).value().plan();
  void ExpectRefused(const char* rule) {
    Result<ValidatedPlan> result = ValidatedPlan::Validate(graph_, plan_);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr(rule));
  }
};

TEST_F(BrokenPlan, AnUnmaskedParameterOnTheAcceleratorIsRefused) {
  plan_.placement[0].masked = false;
  ExpectRefused("without a mask");
}

TEST_F(BrokenPlan, AMaskThatDoesNotPassIsRefused) {
  uint32_t softmax = plan_.stages.back().nodes[0];
  plan_.placement[softmax] = {.accelerator = true, .masked = true};
  ExpectRefused("does not pass");
}

TEST_F(BrokenPlan, AFactorOfOneIsRefused) {
  for (size_t i = 0; i < plan_.placement.size(); ++i)
    if (std::holds_alternative<Binary>(graph_.graph().nodes[i].op)) plan_.placement[i] = {.accelerator = true, .masked = true};
  plan_.stages = SplitIntoStages(graph_, plan_.placement, plan_.check);
  ExpectRefused("factor would be 1");
}

TEST_F(BrokenPlan, AnUncheckedResultUnderFreivaldsIsRefused) {
  plan_.check = Check::kFreivalds;
  plan_.placement[0].checked = false;
  ExpectRefused("not checked");
}

TEST_F(BrokenPlan, OffloadingUnderMlcapsuleIsRefused) {
  plan_.scheme = Scheme::kMlcapsule;
  ExpectRefused("offloads nothing");
}

TEST_F(BrokenPlan, ANodeOutOfOrderIsRefused) {
  std::swap(plan_.stages[0].nodes[0], plan_.stages[0].nodes[1]);
  ExpectRefused("before its operands");
}

TEST_F(BrokenPlan, ANodeThatNeverRunsIsRefused) {
  plan_.stages.pop_back();
  ExpectRefused("never runs");
}

TEST_F(BrokenPlan, ANodeThatRunsTwiceIsRefused) {
  plan_.stages[0].nodes.push_back(plan_.stages[0].nodes[0]);
  ExpectRefused("runs twice");
}

TEST_F(BrokenPlan, ANodeInAStageOfTheOtherSideIsRefused) {
  plan_.stages[0].accelerator = false;
  ExpectRefused("other side");
}

TEST_F(BrokenPlan, AMaskInTheEnclaveIsRefused) {
  plan_.placement[plan_.stages.back().nodes[0]].masked = true;
  ExpectRefused("in the enclave");
}

// Two branches that are masked and one that is not, all of which a sum needs: the sum is ready alone, between two stages.
TEST(Plan, ASegmentThatWouldReturnNothingToCheckStaysInTheEnclave) {
  testing::GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(16), Dim::Constant(8), Dim::Constant(8)});
  ValueId a = builder.Conv3x3(x, 16, 16), b = builder.Conv3x3(x, 16, 16);
  ValueId late = builder.Apply(Unary{.kind = UnaryKind::kSigmoid}, {builder.Conv3x3(a, 16, 16)});
  ValueId sum = builder.Add(b, late);
  ValueId relu = builder.Relu(sum);
  ValueId kept = builder.Apply(Unary{.kind = UnaryKind::kSigmoid}, {builder.Conv3x3(relu, 16, 16)});
  ValueId joined = builder.Add(relu, kept);
  ValidatedGraph network = builder.Finish({builder.Conv3x3(joined, 16, 16)});
  StaticGraph graph = Bind(network, DefaultShapes(network.graph(), 1)).value();
  std::vector<ValueId> linear;
  for (const Node& node : graph.graph().nodes)
    if (IsLinear(node.op)) linear.push_back(node.outputs[0]);
  for (uint32_t bits = 0; bits < 1u << linear.size(); ++bits) {
    Selection drawn;
    for (size_t i = 0; i < linear.size(); ++i)
      if (bits >> i & 1) drawn.insert(linear[i]);
    Result<ValidatedPlan> plan = PlanGraph(graph, Scheme::kSoter, Check::kFreivalds, drawn);
    ASSERT_TRUE(plan.ok()) << bits << ": " << plan.error().message;
    for (const Stage& stage : plan->plan().stages)
      EXPECT_TRUE(!stage.accelerator || !ReturnedValues(graph, Check::kFreivalds, stage).empty()) << bits;
  }
}

}  // namespace
}  // namespace soter
