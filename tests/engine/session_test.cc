#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/control_codec.h"
#include "tests/engine/session_harness.h"

namespace soter {
namespace {

using ::testing::HasSubstr;

std::vector<float> Plain(int64_t batch, uint64_t seed) {
  Harness harness(SettingsFor(Scheme::kInsecure, 1, Check::kNone));
  return OutputOf(harness.Run(RandomBatch(batch, seed)));
}

TEST(Session, MlcapsuleEqualsInsecure) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone));
  EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(2, 7))), Plain(2, 7)), 1e-5);
  EXPECT_EQ(harness.record_.starts, 0u);
}

// Parameters released by one binding come back from outside for the next.
TEST(Session, InputsMayChangeShapeBetweenRuns) {
  for (Scheme scheme : {Scheme::kInsecure, Scheme::kMlcapsule, Scheme::kSoter}) {
    Harness harness(SettingsFor(scheme, 0.5, Check::kNone));
    for (int64_t batch : {1, 3, 1})
      EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(batch, 7))), Plain(batch, 7)), 1e-5)
          << SchemeName(scheme) << " " << batch;
  }
}

class SoterAtTheta : public ::testing::TestWithParam<std::tuple<double, Check>> {};

TEST_P(SoterAtTheta, EqualsInsecure) {
  auto [theta, check] = GetParam();
  for (int draw = 0; draw < 5; ++draw) {  // each session picks other operators and other scales
    Harness harness(SettingsFor(Scheme::kSoter, theta, check));
    EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(2, 7))), Plain(2, 7)), 1e-5);
    EXPECT_EQ(harness.record_.starts == 0, theta == 0);
  }
}

INSTANTIATE_TEST_SUITE_P(All, SoterAtTheta,
                         ::testing::Combine(::testing::Values(0.0, 0.2, 0.5, 0.8, 1.0),
                                            ::testing::Values(Check::kNone, Check::kFingerprint)));

// The plaintext parameters of the network that reappear among what was uploaded.
size_t LeakedParameters(const Harness& harness) {
  ValidatedGraph plain = testing::SmallCnn();
  size_t leaked = 0;
  for (const Initializer& parameter : plain.graph().initializers)
    for (const Tensor& uploaded : harness.record_.weights)
      leaked += uploaded.shape() == parameter.type.shape &&
                std::equal(uploaded.bytes().begin(), uploaded.bytes().end(), parameter.data->bytes().begin());
  return leaked;
}

TEST(Session, NoUploadedTensorIsAPlaintextParameter) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFingerprint));
  ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  EXPECT_EQ(harness.record_.weights.size(), 10u);  // five weights and five biases, each once
  EXPECT_EQ(LeakedParameters(harness), 0u);
}

TEST(Session, TheLeakTestSeesUnitScales) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kNone);
  settings.force_unit_scales = true;
  Harness harness(settings);
  ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  EXPECT_EQ(LeakedParameters(harness), 10u);
}

TEST(Session, NoInputCrossesInItsOwnScale) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kNone));
  Tensor input = RandomBatch(1, 7);
  std::vector<std::byte> plain(input.bytes().begin(), input.bytes().end());
  ASSERT_TRUE(harness.Run(std::move(input)).ok());
  for (const std::vector<std::byte>& sent : harness.record_.inputs) EXPECT_NE(sent, plain);
}

TEST(Session, AnotherBatchSizeReusesTheUploadedWeights) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kNone));
  ASSERT_TRUE(harness.Run(RandomBatch(1, 7)).ok());
  size_t uploads = harness.record_.weights.size();
  EXPECT_LE(RelativeError(OutputOf(harness.Run(RandomBatch(3, 8))), Plain(3, 8)), 1e-5);
  EXPECT_EQ(harness.record_.weights.size(), uploads);
}

TEST(Session, RepeatsAreReportedOneByOne) {
  Harness harness(SettingsFor(Scheme::kSoter, 0.6, Check::kFingerprint));
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7), 4);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->repeats.size(), 4u);
  EXPECT_EQ(report->verified, 1);
  EXPECT_EQ(report->checks_made, 4u * 3u);  // rate 1, three operators offloaded
}

TEST(Session, ATamperedFingerprintEndsTheQueryWithoutOutput) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFingerprint));
  harness.record_.tamper = [](uint32_t, size_t, std::span<std::byte> bytes) {  // every row: one of them is a fingerprint
    for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) reinterpret_cast<float*>(bytes.data())[i] += 0.5f;
  };
  EXPECT_EQ(harness.Run(RandomBatch(1, 7)).error().code, ErrorCode::kIntegrity);
}

// Requests all have the same number of rows, and which of them is the user's changes from query to query.
TEST(Session, FingerprintsRideAtRandomPlacesAmongTheUsersRows) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFingerprint));
  constexpr size_t kRow = 3 * 12 * 12 * sizeof(float);
  size_t first = 0, queries = 64;
  std::vector<float> expected = Plain(1, 7);
  for (size_t i = 0; i < queries; ++i) {
    size_t before = harness.record_.inputs.size();
    Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
    EXPECT_LE(RelativeError(OutputOf(report), expected), 1e-5);
    const std::vector<std::byte>& sent = harness.record_.inputs[before];  // to the first operator
    ASSERT_EQ(sent.size(), 2 * kRow);
    const std::vector<std::byte>& original = harness.record_.inputs[0];
    bool at_first = std::equal(sent.begin(), sent.begin() + kRow, original.begin()) ||
                    std::equal(sent.begin(), sent.begin() + kRow, original.begin() + kRow);
    bool at_last = std::equal(sent.begin() + kRow, sent.end(), original.begin()) ||
                   std::equal(sent.begin() + kRow, sent.end(), original.begin() + kRow);
    if (i > 0) EXPECT_NE(at_first, at_last);  // the user's row comes again, no fingerprint does
    first += at_first;
  }
  EXPECT_GT(first, queries / 4);  // four standard deviations
  EXPECT_LT(first, 3 * queries / 4);
}

TEST(Session, TamperingWithAllRowsOfAFewUsersIsCaughtAsOftenAsAFingerprintIsAmongThem) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kFingerprint);
  settings.fingerprint_rate = 0.5;  // two fingerprints among four rows
  int caught = 0, runs = 60;
  for (int i = 0; i < runs; ++i) {
    Harness harness(settings);
    harness.record_.tamper = [](uint32_t segment, size_t, std::span<std::byte> bytes) {
      if (segment == 0) reinterpret_cast<float*>(bytes.data())[0] += 0.5f;  // one row of six
    };
    caught += !harness.Run(RandomBatch(4, 7)).ok();
  }
  EXPECT_GT(caught, runs / 3 - 16);  // expected: a third; four standard deviations
  EXPECT_LT(caught, runs / 3 + 16);
}

TEST(Session, AFingerprintRateOfZeroChecksNothing) {
  control::Settings settings = SettingsFor(Scheme::kSoter, 1, Check::kFingerprint);
  settings.fingerprint_rate = 0;
  Harness harness(settings);
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  EXPECT_LE(RelativeError(OutputOf(report), Plain(1, 7)), 1e-5);
  EXPECT_EQ(report->checks_made, 0u);
  EXPECT_EQ(report->verified, 2);
}

TEST(Session, AfterThreeWrongFingerprintsTheWorkerIsGivenUp) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kFingerprint));
  harness.record_.tamper = [](uint32_t, size_t, std::span<std::byte> bytes) {
    for (size_t i = 0; i < bytes.size() / sizeof(float); ++i) reinterpret_cast<float*>(bytes.data())[i] += 0.5f;
  };
  for (int i = 0; i < kMaxCheckFailures; ++i) {
    Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
    EXPECT_EQ(report.error().code, ErrorCode::kIntegrity);
    EXPECT_EQ(report.error().message, kWrongResult);  // the same for every operator
  }
  EXPECT_EQ(harness.Run(RandomBatch(1, 7)).error().code, ErrorCode::kUnavailable);
}

TEST(Session, WithoutACheckTamperingGoesUnnoticedAndChangesTheOutput) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kNone));
  harness.record_.tamper = [](uint32_t, size_t, std::span<std::byte> bytes) {
    reinterpret_cast<float*>(bytes.data())[0] += 0.5f;
  };
  Result<control::RunReport> report = harness.Run(RandomBatch(1, 7));
  EXPECT_GT(RelativeError(OutputOf(report), Plain(1, 7)), 1e-3);
  EXPECT_EQ(report->verified, 2);
}

TEST(Session, NaNInputIsRefusedByName) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone));
  Tensor input = RandomBatch(1, 7);
  input.MutableAs<float>()[3] = std::nanf("");
  Result<control::RunReport> report = harness.Run(std::move(input));
  EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr("input 'x'"));
}

TEST(Session, WrongShapeIsRefusedWithWhatIsAccepted) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone));
  Result<control::RunReport> report = harness.Run(Tensor::FromValues<float>({1}, {1.0f}));
  EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr("batch"));
}

TEST(Session, WrongTypeIsRefusedWithWhatIsAccepted) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone));
  Result<control::RunReport> report = harness.Run(Tensor::FromValues<int64_t>({1}, {1}));
  EXPECT_EQ(report.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(report.error().message, HasSubstr("float32[batch, 3, 12, 12]"));
}

TEST(Session, WrongNumberOfInputsIsRefused) {
  Harness harness(SettingsFor(Scheme::kMlcapsule, 1, Check::kNone));
  EXPECT_EQ(harness.session_->Run({}).error().code, ErrorCode::kInvalidArgument);
}

TEST(Session, PlanNeedsNoAcceleratorAndCountsWhatRunWillDo) {
  Harness harness(SettingsFor(Scheme::kSoter, 1, Check::kNone));
  control::PlanReport plan = harness.session_->Plan({{{1, 3, 12, 12}}, true}).value();
  EXPECT_EQ(plan.linear_total, 5u);
  EXPECT_EQ(plan.linear_offloaded, 5u);
  EXPECT_EQ(plan.switches, 2u);  // the sum of the short shortcut is taken back
  EXPECT_EQ(plan.bytes_sent, 4u * (3 * 144 + 16 * 36));
  EXPECT_EQ(plan.bytes_received, 4u * (2 * 16 * 36 + 7));
  EXPECT_EQ(plan.mul_adds_offloaded, plan.mul_adds_total);
  EXPECT_EQ(harness.record_.starts, 0u);
}

TEST(ValidateSettings, NamesTheOptionThatIsWrong) {
  control::Settings theta = SettingsFor(Scheme::kSoter, 1.5, Check::kNone);
  EXPECT_THAT(ValidateSettings(theta).error().message, HasSubstr("--theta"));
  theta.theta = std::nan("");
  EXPECT_THAT(ValidateSettings(theta).error().message, HasSubstr("--theta"));
  control::Settings rate = SettingsFor(Scheme::kSoter, 1, Check::kFingerprint);
  rate.fingerprint_rate = -0.1;
  EXPECT_THAT(ValidateSettings(rate).error().message, HasSubstr("--fingerprint-rate"));
  EXPECT_THAT(ValidateSettings(SettingsFor(Scheme::kInsecure, 1, Check::kFingerprint)).error().message, HasSubstr("--check"));
  control::Settings threads = SettingsFor(Scheme::kSoter, 1, Check::kNone);
  threads.threads = 0;
  EXPECT_THAT(ValidateSettings(threads).error().message, HasSubstr("--threads"));
}

TEST(ValidateSettings, TakesWhatTheMessagesAllow) {
  control::Settings most = SettingsFor(Scheme::kSoter, 1, Check::kFingerprint);
  most.cornerstones = control::kMaxCornerstones, most.threads = control::kMaxThreads;
  EXPECT_TRUE(ValidateSettings(most).ok());
  ++most.cornerstones;
  EXPECT_THAT(ValidateSettings(most).error().message, HasSubstr("--cornerstones"));
}

TEST(Session, ABatchOfNothingHasAnAnswerOfNothing) {
  testing::GraphBuilder builder;
  ValueId x = builder.Input("x", {Dim::Symbol(builder.Symbol("batch")), Dim::Constant(64)});
  ValidatedGraph model = builder.Finish({builder.Dense(builder.Relu(builder.Dense(x, 64, 64)), 64, 64)});
  for (auto [scheme, check] : {std::pair{Scheme::kMlcapsule, Check::kNone}, {Scheme::kInsecure, Check::kNone},
                               {Scheme::kVerified, Check::kFreivalds}, {Scheme::kSoter, Check::kNone},
                               {Scheme::kSoter, Check::kFingerprint}, {Scheme::kSoter, Check::kFreivalds}}) {
    Harness harness(SettingsFor(scheme, 1, check), ValidatedGraph::Validate(model.graph()).value());
    Result<control::RunReport> report = harness.Run(Tensor::Allocate({DType::kFloat32, {0, 64}}).value());
    ASSERT_TRUE(report.ok()) << SchemeName(scheme) << " " << CheckName(check) << ": " << report.error().message;
    EXPECT_EQ(report->outputs[0].tensor.shape(), (Shape{0, 64}));
  }
}

TEST(ValidateSettings, NamesTheOptionsOfOneScheme) {
  control::Settings deadline = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  deadline.deadline_ms = -1;
  EXPECT_THAT(ValidateSettings(deadline).error().message, HasSubstr("--deadline-ms"));
  control::Settings rate = SettingsFor(Scheme::kAegisdnn, 1, Check::kNone);
  rate.sdc_rate = 1.5;
  EXPECT_THAT(ValidateSettings(rate).error().message, HasSubstr("--sdc-rate"));
  control::Settings placed = SettingsFor(Scheme::kInsecure, 1, Check::kNone);
  placed.placement.emplace();
  EXPECT_THAT(ValidateSettings(placed).error().message, HasSubstr("--placement"));
  for (Scheme scheme : {Scheme::kAegisdnn, Scheme::kEnnclave})
    EXPECT_THAT(ValidateSettings(SettingsFor(scheme, 1, Check::kFreivalds)).error().message, HasSubstr("--check"));
}

}  // namespace
}  // namespace soter
