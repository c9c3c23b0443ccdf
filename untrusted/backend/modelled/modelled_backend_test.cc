#include "untrusted/backend/modelled/modelled_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace soter {
namespace {

using testing::HasSubstr;

TEST(AcceleratorSpeed, ReadsWhatAUserTypes) {
  EXPECT_EQ(ParseSpeed("10x")->times_cpu, 10);
  EXPECT_EQ(ParseSpeed("2.5x,latency-us=20")->latency_us, 20);
  AcceleratorSpeed gpu = ParseSpeed("tflops=13.4,gbps=12,latency-us=20").value();
  EXPECT_EQ(gpu.tflops, 13.4);
  EXPECT_EQ(gpu.gbps, 12);
  EXPECT_EQ(gpu.times_cpu, 0);
}

TEST(AcceleratorSpeed, RefusesEverythingElse) {
  for (const char* text : {"", "x", "0x", "-3x", "10", "tflops=", "tflops=nan", "gbps=3", "10x,tflops=3", "10x,what=3", "10x,,",
                           "1e999x", "10xx"}) {
    Result<AcceleratorSpeed> speed = ParseSpeed(text);
    ASSERT_FALSE(speed.ok()) << text;
    EXPECT_THAT(speed.error().message, HasSubstr("tflops=13.4")) << text;
  }
}

// Answers the negative of its input, and counts how often it had to.
class Negates : public Backend {
 public:
  explicit Negates(int& runs) : runs_(runs) {}
  BackendInfo info() const override { return {.name = "cpu", .device = "a test", .arithmetics = {wire::Arithmetic::kFloat32}}; }
  Status LoadWeight(WeightId, std::shared_ptr<const Tensor>) override { return {}; }
  Status LoadSegment(uint32_t, const StaticGraph&, wire::Arithmetic, std::span<const wire::Port>,
                     std::span<const wire::Port>) override { return {}; }
  Status Run(uint32_t, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override {
    ++runs_;
    *reinterpret_cast<float*>(outputs[0]) = -*reinterpret_cast<const float*>(inputs[0]);
    on_output(0);
    return {};
  }
  void DropSegments() override {}
  void DropWeights() override {}

 private:
  int& runs_;
};

class ModelledBackendTest : public testing::Test {
 protected:
  ModelledBackendTest() : backend_(std::make_unique<Negates>(runs_), ParseSpeed("10x").value(), "10x") {
    Graph graph;
    ValueId x = graph.AddValue("x"), y = graph.AddValue("y");
    graph.inputs.push_back({x, DType::kFloat32, {Dim::Constant(1)}});
    graph.outputs.push_back(y);
    graph.nodes.push_back({"n", Unary{.kind = UnaryKind::kNeg}, {x}, {y}});
    Shape shape = {1};
    StaticGraph bound = Bind(ValidatedGraph::Validate(std::move(graph)).value(), std::span(&shape, 1)).value();
    wire::Port port{.type = {DType::kFloat32, {1}}};
    EXPECT_TRUE(backend_.LoadSegment(7, bound, wire::Arithmetic::kFloat32, std::span(&port, 1), std::span(&port, 1)).ok());
  }

  float Answer(float x) {
    float y = 0;
    size_t told = 0;
    const std::byte* in[] = {reinterpret_cast<const std::byte*>(&x)};
    std::byte* out[] = {reinterpret_cast<std::byte*>(&y)};
    EXPECT_TRUE(backend_.Run(7, in, out, [&](size_t) { ++told; }).ok());
    EXPECT_EQ(told, 1u);
    return y;
  }

  int runs_ = 0;
  ModelledBackend backend_;
};

TEST_F(ModelledBackendTest, AnswersRightWhetherItKnowsTheInputOrNot) {
  for (float x : {1.0f, 2.0f, 1.0f, 2.0f, 3.0f, 1.0f}) EXPECT_EQ(Answer(x), -x);
}

TEST_F(ModelledBackendTest, ComputesOnlyWhatItDoesNotKnow) {
  Answer(1);
  int computed = runs_;
  EXPECT_GT(computed, 0);
  Answer(1);
  EXPECT_EQ(runs_, computed);
  Answer(2);
  EXPECT_GT(runs_, computed);
}

TEST_F(ModelledBackendTest, SaysThatItIsAModel) {
  EXPECT_EQ(backend_.info().name, "modelled");
  EXPECT_THAT(backend_.info().device, HasSubstr("modelled, 10x"));
  EXPECT_THAT(backend_.info().device, HasSubstr("a test"));
}

}  // namespace
}  // namespace soter
