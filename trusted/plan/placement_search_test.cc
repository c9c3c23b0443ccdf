#include "trusted/plan/placement_search.h"

#include <gtest/gtest.h>

#include "common/graph/op_traits.h"
#include "trusted/testing/networks.h"

namespace soter {
namespace {

StaticGraph BindOne(const ValidatedGraph& graph) { return Bind(graph, DefaultShapes(graph.graph(), 1)).value(); }

Selection AllLinear(const StaticGraph& graph) {
  Selection all;
  for (const Node& node : graph.graph().nodes)
    if (IsLinear(node.op)) all.insert(node.outputs[0]);
  return all;
}

// The accelerator takes `factor` of the enclave's time for every node.
CostProfile Costs(const StaticGraph& graph, double factor, double switch_ms) {
  CostProfile costs{.switch_ms = switch_ms, .send_ms_per_mb = 0.2, .receive_ms_per_mb = 0.2, .pass_ms_per_mb = 0.1};
  for (size_t i = 0; i < graph.graph().nodes.size(); ++i) {
    costs.enclave_ms.push_back(IsLinear(graph.graph().nodes[i].op) ? 2.0 : 0.1);
    costs.accelerator_ms.push_back(costs.enclave_ms.back() * factor);
    costs.check_ms.push_back(0.1);
  }
  return costs;
}

size_t Offloaded(const ValidatedPlan& plan) {
  size_t count = 0;
  for (const NodePlacement& placed : plan.plan().placement) count += placed.accelerator;
  return count;
}

TEST(PlacementSearch, StaysInsideWhereTheAcceleratorIsSlow) {
  for (Scheme scheme : {Scheme::kSoter, Scheme::kVerified}) {
    StaticGraph graph = BindOne(testing::WideCnn());
    CostProfile costs = Costs(graph, 3, 1);
    ValidatedPlan plan = FastestPlan(graph, scheme, Check::kFreivalds, AllLinear(graph), costs).value();
    EXPECT_EQ(Offloaded(plan), 0u);
  }
}

TEST(PlacementSearch, GoesOutWhereItIsFast) {
  StaticGraph graph = BindOne(testing::WideCnn());
  CostProfile costs = Costs(graph, 0.05, 0.01);
  Selection all = AllLinear(graph);
  ValidatedPlan plan = FastestPlan(graph, Scheme::kSoter, Check::kFreivalds, all, costs).value();
  EXPECT_EQ(Offloaded(plan), Offloaded(PlanGraph(graph, Scheme::kSoter, Check::kFreivalds, all).value()));
}

TEST(PlacementSearch, NeverOffloadsWhatWasNotDrawn) {
  StaticGraph graph = BindOne(testing::SmallCnn());
  Selection one = {*AllLinear(graph).begin()};
  ValidatedPlan plan = FastestPlan(graph, Scheme::kSoter, Check::kNone, one, Costs(graph, 0.01, 0)).value();
  for (size_t i = 0; i < graph.graph().nodes.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    EXPECT_TRUE(!IsLinear(node.op) || !plan.plan().placement[i].accelerator || one.contains(node.outputs[0]));
  }
}

// A chain that is too long to try every subset of.
ValidatedGraph LongChain(size_t length) {
  testing::GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(16), Dim::Constant(8), Dim::Constant(8)});
  for (size_t i = 0; i < length; ++i) x = builder.Relu(builder.Conv3x3(x, 16, 16));
  return builder.Finish({x});
}

TEST(PlacementSearch, FindsTheSplitOfALongChain) {
  StaticGraph graph = BindOne(LongChain(24));
  CostProfile costs = Costs(graph, 0.1, 0.5);
  for (size_t i = 24; i < costs.accelerator_ms.size(); ++i) costs.accelerator_ms[i] = 9;  // the later half is slow there
  ValidatedPlan plan = FastestPlan(graph, Scheme::kSoter, Check::kNone, AllLinear(graph), costs).value();
  for (size_t i = 0; i < 22; ++i) EXPECT_TRUE(plan.plan().placement[i].accelerator) << i;
  for (size_t i = 26; i < 48; ++i) EXPECT_FALSE(plan.plan().placement[i].accelerator) << i;
}

TEST(PlacementSearch, OtherSchemesKeepTheirRule) {
  StaticGraph graph = BindOne(testing::SmallCnn());
  ValidatedPlan plan = FastestPlan(graph, Scheme::kInsecure, Check::kNone, {}, Costs(graph, 9, 9)).value();
  EXPECT_EQ(Offloaded(plan), graph.graph().nodes.size());
}

TEST(PredictMs, OverlapHidesTheShorterSide) {
  StaticGraph graph = BindOne(testing::WideCnn());
  Plan plan = PlanGraph(graph, Scheme::kVerified, Check::kFreivalds, {})->plan();
  CostProfile in_turns = Costs(graph, 0.5, 0.1), beside = in_turns;
  beside.overlap = 1;
  EXPECT_LT(PredictMs(graph, plan, beside), PredictMs(graph, plan, in_turns));
  CostProfile half = in_turns;
  half.overlap = 0.5;
  EXPECT_NEAR(PredictMs(graph, plan, half), (PredictMs(graph, plan, beside) + PredictMs(graph, plan, in_turns)) / 2, 1e-9);
}

TEST(PredictMs, LargerWeightsServeThoseThatGainMostForAByte) {
  StaticGraph graph = BindOne(LongChain(3));  // conv, relu, conv, relu, conv, relu
  Plan plan = PlanGraph(graph, Scheme::kMlcapsule, Check::kNone, {})->plan();
  CostProfile costs = Costs(graph, 1, 0);
  costs.frugal_ms = costs.enclave_ms;
  costs.extra_bytes.assign(costs.enclave_ms.size(), 0);
  const double gains[] = {1, 2, 4};
  for (size_t i = 0; i < 3; ++i) costs.frugal_ms[2 * i] += gains[i], costs.extra_bytes[2 * i] = 100;
  auto predicted = [&](uint64_t spare_bytes) {
    costs.spare_bytes = spare_bytes;
    return PredictMs(graph, plan, costs);
  };
  const double all_fast = 3 * 2 + 3 * 0.1;
  EXPECT_NEAR(predicted(300), all_fast, 1e-9);
  EXPECT_NEAR(predicted(299), all_fast + 1, 1e-9);
  EXPECT_NEAR(predicted(199), all_fast + 1 + 2, 1e-9);
  EXPECT_NEAR(predicted(0), all_fast + 1 + 2 + 4, 1e-9);
  costs.extra_bytes[4] = 1000;  // what does not fit leaves room to others
  EXPECT_NEAR(predicted(200), all_fast + 4, 1e-9);
}

TEST(PredictMs, TheFirstProgramTakesTheRoomForLargerWeightsFirst) {
  StaticGraph graph = BindOne(LongChain(3));
  Selection middle = {graph.graph().nodes[2].outputs[0], graph.graph().nodes[3].outputs[0]};
  Plan plan = PlanGraph(graph, Scheme::kAegisdnn, Check::kNone, middle)->plan();
  CostProfile costs = Costs(graph, 0, 0);
  costs.send_ms_per_mb = costs.receive_ms_per_mb = costs.pass_ms_per_mb = 0;
  double fast = PredictMs(graph, plan, costs);
  costs.frugal_ms = costs.enclave_ms;
  costs.extra_bytes.assign(costs.enclave_ms.size(), 0);
  costs.frugal_ms[0] += 1, costs.frugal_ms[4] += 4, costs.extra_bytes[0] = costs.extra_bytes[4] = 100;
  costs.spare_bytes = 100;
  EXPECT_NEAR(PredictMs(graph, plan, costs), fast + 4, 1e-9);
}

TEST(PredictMs, WhatTheEnclaveFusesCostsAPassWhereItsOperandComesFromOutside) {
  StaticGraph graph = BindOne(LongChain(2));
  CostProfile costs = Costs(graph, 0, 0);
  costs.send_ms_per_mb = costs.receive_ms_per_mb = 0;
  costs.pass_ms_per_mb = 1000;
  for (size_t relu : {1u, 3u}) costs.enclave_ms[relu] = 0;
  Selection first = {graph.graph().nodes[0].outputs[0]};
  Plan inside = PlanGraph(graph, Scheme::kMlcapsule, Check::kNone, {})->plan();
  Plan split = PlanGraph(graph, Scheme::kAegisdnn, Check::kNone, first)->plan();
  EXPECT_NEAR(PredictMs(graph, inside, costs), 4, 1e-9);
  const double megabytes = 16 * 8 * 8 * 4 / 1e6;
  EXPECT_NEAR(PredictMs(graph, split, costs), 2 + 1000 * megabytes, 1e-9);
}

TEST(PredictMs, HandingBackResultsAmidASegmentCostsTheAcceleratorTime) {
  StaticGraph graph = BindOne(testing::WideCnn());
  Plan plan = PlanGraph(graph, Scheme::kVerified, Check::kFreivalds, {})->plan();
  CostProfile costs = Costs(graph, 0.5, 0.1), dearer = costs;
  dearer.hand_back_ms_per_mb = 10;
  EXPECT_GT(PredictMs(graph, plan, dearer), PredictMs(graph, plan, costs));
}

}  // namespace
}  // namespace soter
