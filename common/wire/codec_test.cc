#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "common/wire/control_codec.h"
#include "common/wire/message_codec.h"

namespace soter {
namespace {

using Bytes = std::vector<std::byte>;
using ::testing::HasSubstr;

Tensor SmallTensor() { return Tensor::FromValues<float>({2, 2}, {1.0f, -2.0f, 3.5f, 0.0f}); }

wire::LoadSegment SampleSegment() {
  wire::Port blocked{.type = {DType::kFloat32, {1, 20, 4, 4}}, .layout = Layout::kNChw16c, .offset = 4096};
  wire::Port dense{.type = {DType::kInt64, {3}}, .planes = 2, .offset = 64};
  return {.segment = 9, .arithmetic = wire::Arithmetic::kTf32, .inputs = {blocked}, .outputs = {dense, blocked},
          .graph = Bytes(5, std::byte{7})};
}

control::RunReport SampleReport() {
  control::RunReport report;
  report.outputs.push_back({"y", SmallTensor()});
  report.verified = 1;
  report.repeats = {{.trusted = 1, .total = 2}, {.check = 3}};
  report.backend = "cpu";
  return report;
}

control::PlanReport SamplePlan() {
  control::PlanReport report;
  report.nodes = {{.name = "conv1", .op = "Conv", .masked = true, .mul_adds = 77, .reason = "picked at random"}, {}};
  report.notice = "scales hide no direction";
  return report;
}

// Every message as bytes, with what decodes and encodes it again.
struct Sample {
  const char* name;
  Bytes bytes;
  Result<Bytes> (*again)(std::span<const std::byte>);
};

template <typename Message>
Result<Bytes> AgainWire(std::span<const std::byte> bytes) {
  return wire::Encode(TRY(wire::Decode<Message>(bytes)));
}
template <typename Message>
Result<Bytes> AgainControl(std::span<const std::byte> bytes) {
  return control::Encode(TRY(control::Decode<Message>(bytes)));
}
template <typename Message>
Sample OfWire(const char* name, const Message& message) { return {name, wire::Encode(message), AgainWire<Message>}; }
template <typename Message>
Sample OfControl(const char* name, const Message& message) {
  return {name, control::Encode(message), AgainControl<Message>};
}

std::vector<Sample> Samples() {
  control::RunRequest request;
  request.inputs.push_back(SmallTensor());
  control::ModelReport model{.inputs = {{"x", DType::kFloat32, {-1, 3}, {"batch", ""}}}, .outputs = {"y"}};
  std::vector<Sample> samples;
  samples.push_back(OfWire("Hello", wire::Hello{.threads = 2}));
  samples.push_back(OfWire("HelloReply", wire::HelloReply{.backend = "cpu", .device = "Xeon",
                                                          .arithmetics = {wire::Arithmetic::kFloat32}}));
  samples.push_back(OfWire("Attach", wire::Attach{"/dev/shm/soter-1-2", 8192}));
  samples.push_back(OfWire("LoadWeight", wire::LoadWeight{3, {DType::kFloat32, {64, 3, 3, 3}}}));
  samples.push_back(OfWire("LoadSegment", SampleSegment()));
  samples.push_back(OfWire("Drop", wire::Drop{.weights = true}));
  samples.push_back(OfWire("Run", wire::Run{4}));
  samples.push_back(OfWire("Output", wire::Output{1}));
  samples.push_back(OfWire("Done", wire::Done{123456789}));
  samples.push_back(OfWire("Failed", wire::Failed{ErrorCode::kExhausted, "no memory"}));
  samples.push_back(OfControl("Settings", control::Settings{.worker = "unix:/x", .seed = 5}));
  samples.push_back(OfControl("ModelReport", model));
  samples.push_back(OfControl("SealedModel", control::SealedModel{"identity", "signer", "signature", 1 << 20}));
  samples.push_back(OfControl("PlanRequest", control::PlanRequest{.input_shapes = {{1, 3, 224, 224}, {}}}));
  samples.push_back(OfControl("PlanReport", SamplePlan()));
  samples.push_back(OfControl("RunRequest", request));
  samples.push_back(OfControl("RunReport", SampleReport()));
  samples.push_back(OfControl("Progress", control::Progress{"loading", 0.5}));
  samples.push_back(OfControl("Failure", control::Failure{ErrorCode::kIntegrity, "wrong"}));
  return samples;
}

TEST(WireCodec, EveryMessageComesBackAsItWas) {
  for (const Sample& sample : Samples()) {
    Result<Bytes> again = sample.again(sample.bytes);
    ASSERT_TRUE(again.ok()) << sample.name << ": " << again.error().message;
    EXPECT_EQ(*again, sample.bytes) << sample.name;
  }
}

TEST(WireCodec, FieldsComeBackWithTheirValues) {
  EXPECT_EQ(wire::Decode<wire::LoadSegment>(wire::Encode(SampleSegment())).value(), SampleSegment());
  auto settings = control::Decode<control::Settings>(control::Encode(control::Settings{.theta = 0.25, .seed = 5})).value();
  EXPECT_EQ(settings.theta, 0.25);
  EXPECT_EQ(settings.seed, 5u);
  auto report = control::Decode<control::RunReport>(control::Encode(SampleReport())).value();
  EXPECT_TRUE(std::ranges::equal(report.outputs[0].tensor.As<float>(), SmallTensor().As<float>()));
}

TEST(WireCodec, EveryTruncationIsMalformed) {
  for (const Sample& sample : Samples()) {
    for (size_t size = 0; size < sample.bytes.size(); ++size) {
      Result<Bytes> again = sample.again(std::span(sample.bytes).first(size));
      ASSERT_FALSE(again.ok()) << sample.name << " cut to " << size;
      EXPECT_EQ(again.error().code, ErrorCode::kMalformed);
    }
  }
}

TEST(WireCodec, TrailingBytesAreMalformed) {
  for (Sample& sample : Samples()) {
    sample.bytes.push_back(std::byte{0});
    EXPECT_FALSE(sample.again(sample.bytes).ok()) << sample.name;
  }
}

// One encoding for each value: what a decoder accepts, the encoder gives back byte for byte.
TEST(WireCodec, AMutationIsRefusedOrIsAnotherMessage) {
  std::mt19937_64 random(1);
  std::vector<Sample> samples = Samples();
  for (int round = 0; round < 20'000; ++round) {
    const Sample& sample = samples[random() % samples.size()];
    Bytes mutated = sample.bytes;
    for (uint64_t change = random() % 3 + 1; change > 0 && !mutated.empty(); --change) {
      mutated[random() % mutated.size()] = std::byte(random() % 4 == 0 ? 0xff : random() % 256);
    }
    Result<Bytes> again = sample.again(mutated);
    if (again.ok()) ASSERT_EQ(*again, mutated) << sample.name << ", round " << round;
  }
}

TEST(WireCodec, ACountOfElementsThatAreNotThereAllocatesNothing) {
  Bytes bytes = wire::Encode(SampleSegment());
  std::fill(bytes.begin() + 5, bytes.begin() + 9, std::byte{0xff});  // the number of inputs
  EXPECT_EQ(wire::Decode<wire::LoadSegment>(bytes).error().code, ErrorCode::kMalformed);
}

TEST(WireCodec, WhatTheSpecificationForbidsIsMalformed) {
  auto segment = SampleSegment();
  segment.inputs[0].offset = 65;
  EXPECT_THAT(wire::Decode<wire::LoadSegment>(wire::Encode(segment)).error().message, HasSubstr("multiple of 64"));
  segment = SampleSegment();
  segment.inputs[0].planes = 0;
  EXPECT_THAT(wire::Decode<wire::LoadSegment>(wire::Encode(segment)).error().message, HasSubstr("no plane"));
  segment = SampleSegment();
  segment.outputs[0].layout = Layout::kNhwc;  // of an int64 vector
  EXPECT_FALSE(wire::Decode<wire::LoadSegment>(wire::Encode(segment)).ok());
  EXPECT_FALSE(wire::Decode<wire::Hello>(wire::Encode(wire::Hello{.threads = 0})).ok());
  EXPECT_FALSE(wire::Decode<wire::LoadWeight>(wire::Encode(wire::LoadWeight{kNoWeight, {}})).ok());
  EXPECT_FALSE(wire::Decode<wire::Attach>(wire::Encode(wire::Attach{"/x", uint64_t{1} << 41})).ok());
}

TEST(ControlCodec, WhatTheSpecificationForbidsIsMalformed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (control::Settings bad : {control::Settings{.theta = 1.5}, control::Settings{.theta = kNan},
                                control::Settings{.fingerprint_rate = -1}, control::Settings{.cornerstones = 0},
                                control::Settings{.threads = 0}, control::Settings{.worker_threads = 5000},
                                control::Settings{.timeout_ms = 0}}) {
    EXPECT_EQ(control::Decode<control::Settings>(control::Encode(bad)).error().code, ErrorCode::kMalformed);
  }
  EXPECT_FALSE(control::Decode<control::RunRequest>(control::Encode(control::RunRequest{.repeat = 0})).ok());
  EXPECT_FALSE(control::Decode<control::Progress>(control::Encode(control::Progress{"x", kNan})).ok());
  EXPECT_FALSE(control::Decode<control::RunReport>(control::Encode(control::RunReport{.verified = 3})).ok());
  control::ModelReport uneven{.inputs = {{"x", DType::kFloat32, {1, 2}, {""}}}};
  EXPECT_FALSE(control::Decode<control::ModelReport>(control::Encode(uneven)).ok());
}

TEST(WireCodec, MessageTypesOutsideTheTableAreMalformed) {
  EXPECT_FALSE(wire::MessageTypeFromNumber(0).ok());
  EXPECT_FALSE(wire::MessageTypeFromNumber(14).ok());
  EXPECT_EQ(wire::MessageTypeFromNumber(13).value(), wire::MessageType::kGoodbye);
  EXPECT_FALSE(control::MessageTypeFromNumber(0).ok());
  EXPECT_FALSE(control::MessageTypeFromNumber(18).ok());
  EXPECT_EQ(control::MessageTypeFromNumber(17).value(), control::MessageType::kPublic);
}

}  // namespace
}  // namespace soter
