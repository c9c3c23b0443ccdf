#include <gmock/gmock.h>

#include "tests/engine/session_harness.h"
#include "trusted/plan/take_back.h"

// An accelerator that has no room for everything: what it does not take runs in the enclave, or the run is refused.
namespace soter {
namespace {

using ::testing::HasSubstr;

std::vector<float> Expected(uint64_t seed) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone), testing::WideCnn());
  return OutputOf(harness.Run(RandomBatch(2, seed)));
}

struct Way {
  Scheme scheme;
  Check check;
};
void PrintTo(const Way& way, std::ostream* out) { *out << SchemeName(way.scheme) << " " << CheckName(way.check); }

class TakenBack : public ::testing::TestWithParam<Way> {
 protected:
  control::Settings settings() const { return SettingsFor(GetParam().scheme, 1, GetParam().check); }
};

// Bytes from nothing to everything: whatever fits is used, the answer is always the same.
TEST_P(TakenBack, WhateverFitsIsUsedAndTheAnswerIsRight) {
  std::vector<float> expected = Expected(7);
  uint32_t most = 0;
  for (size_t room : {0ul, 2'000ul, 20'000ul, 80'000ul, 200'000ul, 10'000'000ul}) {
    Harness harness(settings(), testing::WideCnn());
    harness.record_.room_bytes = room;
    Result<control::RunReport> report = harness.Run(RandomBatch(2, 7), 2);
    EXPECT_LE(RelativeError(OutputOf(report), expected), 1e-5) << room;
    EXPECT_GE(report->accelerator_operators, most) << room;
    most = report->accelerator_operators;
    EXPECT_EQ(report->taken_back.empty(), room == 10'000'000) << room;
    EXPECT_EQ(report->taken_back_because.empty(), report->taken_back.empty());
    bool checks = GetParam().check == Check::kFreivalds;
    EXPECT_TRUE(!checks || report->verified == (most > 0 ? 1 : 2));
  }
  EXPECT_GT(most, 0u);
}

TEST_P(TakenBack, ASegmentWithoutRoomRunsInTheEnclave) {
  Harness harness(settings(), testing::WideCnn());
  // Under fingerprints every segment is a single operator.
  bool alone = GetParam().check == Check::kFingerprint;
  harness.record_.refuses = [alone](const Segment& segment) {
    return alone ? segment.input_types[0].shape.size() == 4 : segment.graph.nodes.size() > 1;
  };
  Result<control::RunReport> report = harness.Run(RandomBatch(2, 7));
  EXPECT_LE(RelativeError(OutputOf(report), Expected(7)), 1e-5);
  EXPECT_THAT(report->taken_back_because, HasSubstr("no room for buffers"));
  EXPECT_GT(report->taken_back.size(), 1u);
}

TEST_P(TakenBack, OrTheRunIsRefused) {
  control::Settings asked = settings();
  asked.on_exhausted = control::OnExhausted::kRefuse;
  Harness harness(asked, testing::WideCnn());
  harness.record_.room_bytes = 20'000;
  Result<control::RunReport> report = harness.Run(RandomBatch(2, 7));
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(report.error().message, HasSubstr("--on-exhausted enclave"));
  EXPECT_EQ(harness.record_.starts, 0u);
}

// What was refused is not offered again for another shape.
TEST_P(TakenBack, AnotherShapeFollows) {
  Harness harness(settings(), testing::WideCnn());
  harness.record_.room_bytes = 20'000;
  ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  size_t uploaded = harness.record_.weights.size();
  EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(2, 7))), Expected(7)), 1e-5);
  EXPECT_EQ(harness.record_.weights.size(), uploaded);
}

INSTANTIATE_TEST_SUITE_P(Schemes, TakenBack,
                         ::testing::Values(Way{Scheme::kInsecure, Check::kNone}, Way{Scheme::kVerified, Check::kFreivalds},
                                           Way{Scheme::kSoter, Check::kNone}, Way{Scheme::kSoter, Check::kFingerprint},
                                           Way{Scheme::kSoter, Check::kFreivalds}));

// A parameter is never sent under two masks: the second would help whoever compares them.
TEST(TakenBackMasks, NoWeightCrossesTwice) {
  for (size_t room : {2'000ul, 20'000ul, 80'000ul, 200'000ul}) {
    Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kNone), testing::WideCnn());
    harness.record_.room_bytes = room;
    ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
    std::map<Shape, std::vector<const Tensor*>> by_shape;
    for (const Tensor& sent : harness.record_.weights) by_shape[sent.shape()].push_back(&sent);
    for (const auto& [shape, sent] : by_shape)
      for (size_t i = 1; i < sent.size(); ++i) {
        // Two masks of one weight would differ by one factor everywhere.
        std::span<const float> a = sent[0]->As<float>(), b = sent[i]->As<float>();
        float first = a.front() / b.front(), last = a.back() / b.back();
        EXPECT_GT(std::abs(first - last), 1e-3f * std::abs(first)) << ShapeString(shape) << " at " << room;
      }
  }
}

TEST(TakeBack, ValidatesWhatIsLeftAndKeepsItsScales) {
  StaticGraph graph = Bind(testing::SmallCnn(), std::vector<Shape>{{1, 3, 12, 12}}).value();
  Selection all;
  for (const Node& node : graph.graph().nodes) all.insert(node.outputs[0]);
  Plan plan = PlanGraph(graph, Scheme::kSoter, Check::kNone, all).value().plan();
  std::vector<bool> scaled = ScaledNodes(plan);
  for (const Node& node : graph.graph().nodes) {
    Result<ValidatedPlan> taken = TakeBack(graph, plan, {node.outputs[0]});
    ASSERT_TRUE(taken.ok()) << taken.error().message;
    EXPECT_EQ(ScaledNodes(taken->plan()), scaled);
    Result<ValidatedPlan> again = TakeBack(graph, taken->plan(), all);
    ASSERT_TRUE(again.ok()) << again.error().message;
    for (const NodePlacement& placed : again->plan().placement) EXPECT_FALSE(placed.accelerator);
  }
}

TEST(Precision, IsAskedOfTheAccelerator) {
  control::Settings settings = SettingsFor(Scheme::kVerified, 1, Check::kFreivalds);
  settings.precision = wire::Arithmetic::kTf32;
  Harness harness(settings, testing::WideCnn());
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  ASSERT_FALSE(report.ok());  // this one computes in float32 only
  EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(report.error().message, HasSubstr("--precision tf32: the worker (in-process) computes in fp32"));
}

TEST(Precision, IsRefusedWhereItMeansNothing) {
  control::Settings settings = SettingsFor(Scheme::kMlcapsule, 1, Check::kNone);
  settings.precision = wire::Arithmetic::kFloat16;
  EXPECT_THAT(ValidateSettings(settings).error().message, HasSubstr("computes in the enclave"));
  settings = SettingsFor(Scheme::kSoter, 1, Check::kFingerprint);
  settings.precision = wire::Arithmetic::kTf32;
  EXPECT_THAT(ValidateSettings(settings).error().message, HasSubstr("--check freivalds"));
  settings.precision = wire::Arithmetic::kFloat64;
  EXPECT_TRUE(ValidateSettings(settings).ok());
}

}  // namespace
}  // namespace soter
