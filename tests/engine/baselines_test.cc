#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/engine/session_harness.h"
#include "trusted/engine/fault_campaign.h"
#include "trusted/plan/plan.h"
#include "trusted/plan/policy_aegisdnn.h"
#include "trusted/plan/public_part.h"

// The published baselines that leave results unchecked: AegisDNN (RTSS 2021) and eNNclave (AISec 2020).
namespace soter {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;

StaticGraph BindOne(const ValidatedGraph& graph) { return Bind(graph, DefaultShapes(graph.graph(), 1)).value(); }

std::vector<float> InsecureAnswer(const Tensor& input, ValidatedGraph model) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone), std::move(model));
  return OutputOf(harness.Run(input.Clone()));
}

// A network whose second layer is multiplied by zero: no fault in its result can change the answer.
ValidatedGraph NetworkWithADeadBranch() {
  GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(32)});
  ValueId alive = builder.Dense(x, 32, 16);
  ValueId dead = builder.Apply(Unary{.kind = UnaryKind::kSign}, {builder.Dense(x, 32, 16)});
  ValueId zero = builder.Apply(Binary{.kind = BinaryKind::kSub}, {dead, dead});
  return builder.Finish({builder.Add(alive, zero)});
}

TEST(FaultCampaign, TellsLayersThatMatterFromThoseThatDoNot) {
  ValidatedGraph network = NetworkWithADeadBranch();
  Graph graph = std::move(network).Take();
  WeightStore weights = WeightStore::FromGraph(graph, WhenReleased::kForget);
  StaticGraph bound = BindOne(ValidatedGraph::Validate(std::move(graph)).value());
  std::vector<Layer> layers = DivideIntoLayers(bound);
  auto random = MakeSeededRandom(3);
  std::vector<LayerFaults> faults =
      InjectFaults(bound, weights, layers, {}, {.rounds = 60}, *random, {}).value();
  ASSERT_EQ(faults.size(), layers.size());
  double alive = 0, dead = 1;
  for (size_t l = 0; l < layers.size(); ++l) {
    EXPECT_EQ(faults[l].injected, 60u);
    const Node& last = bound.graph().nodes[layers[l].nodes.back()];
    if (std::holds_alternative<Binary>(last.op) && std::get<Binary>(last.op).kind == BinaryKind::kSub) dead = faults[l].rate();
    if (std::holds_alternative<Linear>(last.op)) alive = faults[l].rate();
  }
  EXPECT_GT(alive, 0.02);
  EXPECT_LT(alive, 0.9);  // most bits of a mantissa do not change the class
  EXPECT_LE(dead, alive + 0.2);
}

TEST(FaultCampaign, StopsWhenItsTimeIsUpButVisitsEveryLayer) {
  ValidatedGraph network = testing::SmallCnn();
  Graph graph = std::move(network).Take();
  WeightStore weights = WeightStore::FromGraph(graph, WhenReleased::kForget);
  StaticGraph bound = BindOne(ValidatedGraph::Validate(std::move(graph)).value());
  std::vector<Layer> layers = DivideIntoLayers(bound);
  auto random = MakeSeededRandom(3);
  auto faults = InjectFaults(bound, weights, layers, {}, {.rounds = 1000, .budget_ms = 0}, *random, {}).value();
  for (const LayerFaults& layer : faults) EXPECT_EQ(layer.injected, 1u);
}

TEST(FaultCampaign, TakesGivenSamples) {
  ValidatedGraph network = testing::SmallCnn();
  Graph graph = std::move(network).Take();
  WeightStore weights = WeightStore::FromGraph(graph, WhenReleased::kForget);
  StaticGraph bound = BindOne(ValidatedGraph::Validate(std::move(graph)).value());
  std::vector<Layer> layers = DivideIntoLayers(bound);
  std::vector<Tensor> samples;
  samples.push_back(RandomBatch(1, 9));
  auto one = MakeSeededRandom(3), two = MakeSeededRandom(3);
  auto first = InjectFaults(bound, weights, layers, samples, {.rounds = 20}, *one, {}).value();
  auto second = InjectFaults(bound, weights, layers, samples, {.rounds = 20}, *two, {}).value();
  for (size_t l = 0; l < layers.size(); ++l) EXPECT_EQ(first[l].changed, second[l].changed);
}

TEST(Aegisdnn, ChoosesItselfAndAnswersAsPlainInference) {
  Tensor input = RandomBatch(1, 4);
  std::vector<float> want = InsecureAnswer(input, testing::SmallCnn());
  control::Settings settings = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  settings.fault_rounds = 2;
  for (double rate : {0.0, 1.0}) {
    settings.sdc_rate = rate;
    Harness harness(settings);
    Result<control::RunReport> report = harness.Run(input.Clone());
    EXPECT_LT(RelativeError(OutputOf(report), want), 1e-5);
    EXPECT_EQ(report->masked_operators, 0u);
    EXPECT_EQ(report->verified, 2);
  }
}

// The whole network is timed on the accelerator, or it is said why it cannot be.
TEST(Aegisdnn, AnAcceleratorThatTakesNotAllCannotBeTimed) {
  control::Settings settings = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  settings.fault_rounds = 1;
  Harness harness(settings);
  harness.record_.refuses = [](const Segment& segment) { return segment.graph.nodes.size() > 1; };
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 4));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(report.error().message, HasSubstr("timing the network on the accelerator: it says: no room for buffers"));
}

TEST(Aegisdnn, ProtectsEverythingThatMattersAtRateZero) {
  control::Settings settings = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  settings.sdc_rate = 0;
  settings.fault_rounds = 3;
  Harness harness(settings);
  control::PlanReport plan = harness.session_->Plan({.input_shapes = {{1, 3, 12, 12}}}).value();
  EXPECT_EQ(plan.fault_rate, 0);
  EXPECT_GT(plan.faults, 0u);
  for (const control::NodePlan& node : plan.nodes)
    EXPECT_TRUE(!node.accelerator || node.fault_rate == 0) << node.name;
  EXPECT_TRUE(plan.predicted);
}

TEST(Aegisdnn, TheAcceleratorLearnsNoProtectedParameterWhileItIsTimed) {
  control::Settings settings = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  settings.sdc_rate = 0, settings.fault_rounds = 1;
  ValidatedGraph model = testing::SmallCnn();
  Harness harness(settings);
  ASSERT_TRUE(harness.session_->Plan({.input_shapes = {{1, 3, 12, 12}}}).ok());
  ASSERT_FALSE(harness.record_.weights.empty());
  for (const Initializer& initializer : model.graph().initializers) {
    if (initializer.type.dtype != DType::kFloat32) continue;
    for (const Tensor& seen : harness.record_.weights)
      EXPECT_FALSE(std::ranges::equal(seen.bytes(), initializer.data->bytes()));
  }
}

TEST(Aegisdnn, TakesAPlacementThatItIsGiven) {
  control::Settings settings = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  ValidatedGraph model = testing::SmallCnn();
  ValueId first = model.graph().nodes[0].outputs[0];
  settings.placement = std::vector<uint32_t>{first};
  Harness harness(settings);
  control::PlanReport plan = harness.session_->Plan({.input_shapes = {{1, 3, 12, 12}}, .profile = false}).value();
  for (const control::NodePlan& node : plan.nodes) EXPECT_EQ(node.accelerator, node.value == first);
  EXPECT_EQ(harness.record_.starts, 0u);  // nothing had to be measured
}

TEST(Soter, TakesAPlacementInPlaceOfARandomOne) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 0, Check::kNone);
  ValidatedGraph model = testing::SmallCnn();
  settings.placement = std::vector<uint32_t>{model.graph().nodes[0].outputs[0]};
  Harness harness(settings);
  control::PlanReport plan = harness.session_->Plan({.input_shapes = {{1, 3, 12, 12}}, .profile = false}).value();
  EXPECT_EQ(plan.linear_offloaded, 1u);
}

// A fine-tuned copy: same operators, other parameters, and another number of classes in the end.
ValidatedGraph Classifier(uint64_t seed, int64_t classes) {
  GraphBuilder builder(seed);
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(3), Dim::Constant(12), Dim::Constant(12)});
  ValueId a = builder.MaxPool2x2(builder.Relu(builder.Conv3x3(x, 3, 16)));
  ValueId b = builder.Relu(builder.Conv3x3(a, 16, 16));
  ValueId flat = builder.Apply(Flatten{.axis = 1}, {b});
  return builder.Finish({builder.Dense(builder.Relu(builder.Dense(flat, 16 * 36, 32)), 32, classes)});
}

bool Holds(const std::vector<Tensor>& weights, const Initializer& parameter) {
  return std::any_of(weights.begin(), weights.end(), [&](const Tensor& weight) {
    return std::ranges::equal(weight.bytes(), parameter.data->bytes());
  });
}

std::unique_ptr<Session> EnnclaveSession(InProcessAccelerator::Record& record, ValidatedGraph mine, const ValidatedGraph& theirs,
                                         uint32_t private_layers) {
  control::Settings settings = SettingsFor(Scheme::kEnnclave, 1, Check::kNone);
  settings.private_layers = private_layers;
  auto connect = [&record]() -> Result<std::unique_ptr<Accelerator>> {
    return std::unique_ptr<Accelerator>(std::make_unique<InProcessAccelerator>(record));
  };
  return Session::Create(std::move(mine), settings, connect, &theirs).value();
}

TEST(Ennclave, TheAcceleratorReceivesPublicParametersOnly) {
  ValidatedGraph mine = Classifier(1, 7), theirs = Classifier(2, 10);
  InProcessAccelerator::Record record;
  std::unique_ptr<Session> session = EnnclaveSession(record, Classifier(1, 7), theirs, 1);
  control::RunRequest request;
  request.inputs.push_back(RandomBatch(1, 4));
  Result<control::RunReport> report = session->Run(request);
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_FALSE(record.weights.empty());
  size_t known = 0;
  for (const Initializer& initializer : mine.graph().initializers) {
    bool zero = std::ranges::all_of(initializer.data->bytes(), [](std::byte b) { return b == std::byte{0}; });
    EXPECT_TRUE(zero || !Holds(record.weights, initializer));
  }
  for (const Initializer& initializer : theirs.graph().initializers) known += Holds(record.weights, initializer);
  EXPECT_GT(known, 0u);
  EXPECT_EQ(report->masked_operators, 0u);
}

TEST(Ennclave, AnswersAsTheMixtureOfBothModels) {
  ValidatedGraph theirs = Classifier(2, 10);
  Tensor input = RandomBatch(1, 4);
  InProcessAccelerator::Record record;
  std::unique_ptr<Session> session = EnnclaveSession(record, Classifier(1, 7), theirs, 1);
  control::RunRequest request;
  request.inputs.push_back(input.Clone());
  std::vector<float> got = OutputOf(session->Run(request));
  ValidatedGraph mixture =
      ValidatedGraph::Validate(TakePublicPart(Classifier(1, 7).graph(), theirs.graph(), 1)->graph).value();
  EXPECT_LT(RelativeError(got, InsecureAnswer(input, std::move(mixture))), 1e-5);
  EXPECT_GT(RelativeError(got, InsecureAnswer(input, Classifier(1, 7))), 1e-2);  // the accuracy that it loses
}

// What is public stays so when the accelerator does not take all of it.
TEST(Ennclave, WhatTheAcceleratorDoesNotTakeRunsInTheEnclave) {
  ValidatedGraph theirs = Classifier(2, 10);
  Tensor input = RandomBatch(1, 4);
  std::vector<std::vector<float>> answers;
  for (size_t room : {SIZE_MAX, size_t{10'000}}) {
    InProcessAccelerator::Record record;
    record.room_bytes = room;
    std::unique_ptr<Session> session = EnnclaveSession(record, Classifier(1, 7), theirs, 1);
    control::RunRequest request;
    request.inputs.push_back(input.Clone());
    Result<control::RunReport> report = session->Run(request);
    answers.push_back(OutputOf(report));
    EXPECT_EQ(report->taken_back.empty(), room == SIZE_MAX);
    EXPECT_GT(report->accelerator_operators, 0u);
  }
  EXPECT_LT(RelativeError(answers[1], answers[0]), 1e-5);
}

TEST(Ennclave, KeepsAsManyLayersPrivateAsItIsTold) {
  for (uint32_t private_layers : {1u, 2u, 3u}) {
    PublicPart part = TakePublicPart(Classifier(1, 10).graph(), Classifier(2, 10).graph(), private_layers).value();
    StaticGraph graph = BindOne(ValidatedGraph::Validate(part.graph).value());
    ValidatedPlan plan = PlanGraph(graph, Scheme::kEnnclave, Check::kNone, part.values).value();
    uint32_t private_linear = 0;
    for (size_t i = 0; i < plan.plan().placement.size(); ++i) {
      const Op& op = graph.graph().nodes[i].op;
      bool linear = std::holds_alternative<Conv>(op) || std::holds_alternative<Linear>(op);
      private_linear += linear && !plan.plan().placement[i].accelerator;
    }
    EXPECT_EQ(private_linear, private_layers);
  }
}

TEST(Ennclave, ModelsWithNothingInCommonAreRefused) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Constant(1), Dim::Constant(8)});
  ValidatedGraph other = builder.Finish({builder.Dense(x, 8, 4)});
  Result<PublicPart> part = TakePublicPart(Classifier(1, 7).graph(), other.graph(), 1);
  ASSERT_FALSE(part.ok());
  EXPECT_EQ(part.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(part.error().message, HasSubstr("--public"));
  Result<PublicPart> all = TakePublicPart(Classifier(1, 7).graph(), Classifier(2, 7).graph(), 4);
  EXPECT_THAT(all.error().message, HasSubstr("--private-layers"));
}

TEST(Ennclave, APublicModelIsNeeded) {
  auto connect = []() -> Result<std::unique_ptr<Accelerator>> { return Unavailable("none"); };
  auto session = Session::Create(testing::SmallCnn(), SettingsFor(Scheme::kEnnclave, 1, Check::kNone), connect);
  ASSERT_FALSE(session.ok());
  EXPECT_THAT(session.error().message, HasSubstr("--public"));
}

TEST(ValidatedPlan, EnnclaveKeepsPrivateOperatorsAndParametersOffTheAccelerator) {
  PublicPart part = TakePublicPart(Classifier(1, 7).graph(), Classifier(2, 10).graph(), 1).value();
  StaticGraph graph = BindOne(ValidatedGraph::Validate(part.graph).value());
  Plan plan = PlanGraph(graph, Scheme::kEnnclave, Check::kNone, part.values)->plan();
  Plan moved = plan;
  moved.placement.back().accelerator = true;
  moved.stages = SplitIntoStages(graph, moved.placement, moved.check);
  EXPECT_THAT(ValidatedPlan::Validate(graph, moved).error().message, HasSubstr("private"));
  Plan hidden = plan;
  for (const Initializer& initializer : graph.graph().initializers) hidden.public_values.erase(initializer.value);
  EXPECT_THAT(ValidatedPlan::Validate(graph, hidden).error().message, HasSubstr("private parameter"));
}

TEST(ValidatedPlan, BaselinesMaskAndCheckNothing) {
  StaticGraph graph = BindOne(testing::SmallCnn());
  EXPECT_FALSE(PlanGraph(graph, Scheme::kAegisdnn, Check::kFreivalds, {}).ok());
  Plan plan = PlanGraph(graph, Scheme::kAegisdnn, Check::kNone, {graph.graph().nodes[0].outputs[0]})->plan();
  plan.placement[0].masked = true;
  EXPECT_THAT(ValidatedPlan::Validate(graph, plan).error().message, HasSubstr("masks nothing"));
}

// A weight that crossed under one mask must not cross under another, whatever the accelerator's speed is by then.
TEST(Latency, UnderSoterTheFirstShapesSettleWhatCrosses) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kNone);
  settings.objective = control::Objective::kLatency;
  Harness harness(settings, testing::WideCnn());
  Result<control::RunReport> first = harness.Run(RandomBatch(2, 7));
  size_t starts = harness.record_.starts;
  Result<control::RunReport> second = harness.Run(RandomBatch(3, 7));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->accelerator_operators, second->accelerator_operators);
  EXPECT_EQ(harness.record_.starts - starts, second->accelerator_operators > 0 ? second->switches : 0) << "measured again";
}

}  // namespace
}  // namespace soter
