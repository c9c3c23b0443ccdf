#include "trusted/plan/protection.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>

#include "trusted/plan/layers.h"
#include "trusted/testing/networks.h"

namespace soter {
namespace {

using testing::GraphBuilder;

// A random network of `count` layers: each takes one to three earlier values; costs are small integers, so that sums
// are exact.
ProtectionProblem RandomProblem(size_t count) {
  auto small = [](int low, int high) { return static_cast<double>(*rc::gen::inRange(low, high)); };
  ProtectionProblem problem{.switch_ms = small(0, 6)};
  problem.values.push_back({.send_ms = small(0, 4), .receive_ms = small(0, 4)});
  for (uint32_t layer = 0; layer < count; ++layer) {
    problem.layers.push_back({small(0, 12), small(0, 6), small(0, 8)});
    std::set<size_t> taken = {problem.values.size() - 1};
    for (int extra = *rc::gen::inRange(0, 3); extra-- > 0;)
      taken.insert(static_cast<size_t>(*rc::gen::inRange<int>(0, static_cast<int>(problem.values.size()))));
    for (size_t value : taken) problem.values[value].consumers.push_back(layer);
    problem.values.push_back({.producer = layer, .send_ms = small(0, 4), .receive_ms = small(0, 4)});
  }
  problem.values.back().is_output = true;
  return problem;
}

std::vector<Protection> EveryChoice(const ProtectionProblem& problem) {
  std::vector<Protection> all;
  for (uint32_t bits = 0; bits < (1u << problem.layers.size()); ++bits) {
    std::vector<bool> sides;
    for (size_t i = 0; i < problem.layers.size(); ++i) sides.push_back(bits >> i & 1);
    all.push_back(CostOf(problem, sides));
  }
  return all;
}

RC_GTEST_PROP(Protection, SafestWithinEqualsBruteForce, ()) {
  ProtectionProblem problem = RandomProblem(static_cast<size_t>(*rc::gen::inRange(1, 9)));
  double deadline = *rc::gen::inRange(0, 80);
  double least_rate = 1e9, fastest = 1e9;
  for (const Protection& choice : EveryChoice(problem)) {
    fastest = std::min(fastest, choice.ms);
    if (choice.ms <= deadline) least_rate = std::min(least_rate, choice.rate);
  }
  Protection chosen = SafestWithin(problem, deadline);
  RC_ASSERT(chosen.exact);
  Protection again = CostOf(problem, chosen.on_accelerator);
  RC_ASSERT(std::abs(again.ms - chosen.ms) < 1e-9);
  RC_ASSERT(std::abs(again.rate - chosen.rate) < 1e-9);
  if (least_rate < 1e9) {
    RC_ASSERT(chosen.ms <= deadline);
    RC_ASSERT(chosen.rate <= least_rate + 1e-9);
  } else {
    RC_ASSERT(chosen.ms <= fastest + 1e-9);
  }
}

RC_GTEST_PROP(Protection, FastestBelowEqualsBruteForce, ()) {
  ProtectionProblem problem = RandomProblem(static_cast<size_t>(*rc::gen::inRange(1, 9)));
  double rate = *rc::gen::inRange(0, 50) / 10.0;
  double fastest = 1e9;
  for (const Protection& choice : EveryChoice(problem))
    if (choice.rate <= rate + 1e-12) fastest = std::min(fastest, choice.ms);
  Protection chosen = FastestBelow(problem, rate + 1e-9);
  RC_ASSERT(chosen.rate <= rate + 1e-9);
  RC_ASSERT(std::abs(chosen.ms - fastest) < 1e-9);
}

ProtectionProblem Chain(std::vector<ProtectionProblem::Layer> layers, double switch_ms, double cross_ms) {
  ProtectionProblem problem{.layers = std::move(layers), .switch_ms = switch_ms};
  for (uint32_t i = 0; i <= problem.layers.size(); ++i) {
    ProtectionProblem::Value value{.producer = int64_t{i} - 1, .send_ms = cross_ms, .receive_ms = cross_ms};
    if (i < problem.layers.size()) value.consumers = {i};
    else value.is_output = true;
    problem.values.push_back(value);
  }
  return problem;
}

TEST(Protection, CountsSwitchesAndCrossings) {
  ProtectionProblem problem = Chain({{10, 1, 0}, {10, 1, 0}, {10, 1, 0}}, 2, 0.5);
  EXPECT_DOUBLE_EQ(CostOf(problem, {false, false, false}).ms, 30);
  EXPECT_DOUBLE_EQ(CostOf(problem, {true, true, true}).ms, 3 + 2 + 0.5 + 0.5);
  EXPECT_DOUBLE_EQ(CostOf(problem, {true, false, true}).ms, 12 + 2 * 2 + 4 * 0.5);
}

TEST(Protection, ADearSwitchKeepsNeighboursTogether) {
  ProtectionProblem problem = Chain({{5, 1, 0.9}, {2, 1, 0}, {5, 1, 0.9}}, 3, 0);
  // Offloading the middle alone saves 1 ms and costs a switch.
  EXPECT_EQ(FastestBelow(problem, 0).on_accelerator, (std::vector<bool>{false, false, false}));
  EXPECT_EQ(FastestBelow(problem, 1).on_accelerator, (std::vector<bool>{true, true, true}));
}

TEST(Protection, AValueCrossesOnceForManyConsumers) {
  ProtectionProblem problem{.layers = {{0, 0, 0}, {0, 0, 0}}, .values = {{.consumers = {0, 1}, .send_ms = 4}}};
  EXPECT_DOUBLE_EQ(CostOf(problem, {true, true}).ms, 4);
}

TEST(Protection, ALooserDeadlineNeverRisksMore) {
  ProtectionProblem problem = Chain({{10, 1, 0.5}, {8, 1, 0.1}, {6, 1, 0.3}, {9, 2, 0.7}}, 1, 0.2);
  double rate = 2;
  for (double deadline : {5.0, 12.0, 20.0, 28.0, 33.0}) {
    Protection choice = SafestWithin(problem, deadline);
    EXPECT_LE(choice.rate, rate);
    rate = choice.rate;
  }
  EXPECT_EQ(rate, 0);
}

TEST(Protection, TooManyOpenStatesAreSaidToBeInexact) {
  ProtectionProblem problem;
  for (uint32_t i = 0; i < 14; ++i) {
    problem.layers.push_back({1.0 + i, 0.5, 0.1});
    problem.values.push_back({.producer = i, .consumers = {14}, .send_ms = 0.1, .receive_ms = 0.2});
  }
  problem.layers.push_back({1, 1, 0});  // joins all of them
  Protection choice = FastestBelow(problem, 1);
  EXPECT_FALSE(choice.exact);
  EXPECT_DOUBLE_EQ(CostOf(problem, choice.on_accelerator).ms, choice.ms);
}

StaticGraph BindDefault(const ValidatedGraph& graph) { return Bind(graph, DefaultShapes(graph.graph(), 1)).value(); }

TEST(Layers, HoldEveryNodeOnceAndInOrder) {
  for (const ValidatedGraph& network : {testing::SmallCnn(), testing::WideCnn()}) {
    StaticGraph graph = BindDefault(network);
    std::set<ValueId> known;
    for (const GraphInput& input : graph.graph().inputs) known.insert(input.value);
    size_t count = 0;
    for (const Layer& layer : DivideIntoLayers(graph)) {
      for (ValueId value : layer.inputs) EXPECT_TRUE(known.contains(value));
      known.insert(layer.outputs.begin(), layer.outputs.end());
      count += layer.nodes.size();
    }
    EXPECT_EQ(count, graph.graph().nodes.size());
    for (ValueId value : graph.graph().outputs) EXPECT_TRUE(known.contains(value));
  }
}

TEST(Layers, AnActivationBelongsToItsOperatorAndASumStandsAlone) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(4), Dim::Constant(8), Dim::Constant(8)});
  ValueId a = builder.Relu(builder.Conv3x3(x, 4, 4));
  ValueId b = builder.Conv3x3(a, 4, 4);
  ValidatedGraph network = builder.Finish({builder.Relu(builder.Add(a, b))});
  std::vector<Layer> layers = DivideIntoLayers(BindDefault(network));
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_EQ(layers[0].nodes.size(), 2u);
  EXPECT_EQ(layers[1].nodes.size(), 1u);
  EXPECT_EQ(layers[2].nodes.size(), 2u);
  EXPECT_EQ(layers[2].inputs.size(), 2u);
}

}  // namespace
}  // namespace soter
