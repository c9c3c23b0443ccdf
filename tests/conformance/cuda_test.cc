#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/compute/program.h"
#include "common/graph/accelerator_set.h"
#include "tests/conformance/cases.h"
#include "tests/conformance/compare.h"
#include "tests/conformance/reference.h"
#include "untrusted/backend/cuda/cuda_backend.h"

// The CUDA backend against the reference interpreter, on the cases that every backend must pass. What needs a GPU is
// skipped, with the reason, where there is none; planning is tested everywhere.
namespace soter::conformance {
namespace {

using cuda::CudaBackend;
using ::testing::HasSubstr;
using wire::Arithmetic;

constexpr uint64_t kSeed = 20240731;

// BoundOf is how far a result of an arithmetic may be from the truth, over its largest element: the length of the
// sums in the cases (at most 1027) times the rounding of a product's operands.
double BoundOf(Arithmetic arithmetic) {
  switch (arithmetic) {
    case Arithmetic::kTf32: return 2e-3;
    case Arithmetic::kFloat16: return 4e-3;
    default: return 1e-5;
  }
}

Result<StaticGraph> BindCase(const Case& c) {
  std::vector<Shape> shapes;
  for (const Tensor& input : c.inputs) shapes.push_back(input.shape());
  return Bind(TRY(ValidatedGraph::Validate(c.graph)), shapes);
}

// PortsOf gives each value its port, in `layout` where its type can lie so.
std::vector<wire::Port> PortsOf(const StaticGraph& graph, std::span<const ValueId> values, Layout layout) {
  std::vector<wire::Port> ports;
  for (ValueId value : values) {
    const TensorType& type = graph.type(value);
    ports.push_back({.type = type, .layout = LaidOutBytes(type, layout).ok() ? layout : Layout::kDense});
  }
  return ports;
}

std::vector<ValueId> InputsOf(const StaticGraph& graph) {
  std::vector<ValueId> values;
  for (const GraphInput& input : graph.graph().inputs) values.push_back(input.value);
  return values;
}

// Exchange is the host's side of one run, in the layouts of the ports.
class Exchange {
 public:
  Exchange(const std::vector<Tensor>& inputs, std::vector<wire::Port> in, std::vector<wire::Port> out)
      : in_(std::move(in)), out_(std::move(out)) {
    for (size_t i = 0; i < in_.size(); ++i) {
      buffers_.emplace_back(LaidOutBytes(in_[i].type, in_[i].layout).value());
      Move(in_[i], inputs[i].bytes().data(), Layout::kDense, buffers_[i].bytes().data(), in_[i].layout);
      from_.push_back(buffers_[i].bytes().data());
    }
    for (const wire::Port& port : out_) buffers_.emplace_back(LaidOutBytes(port.type, port.layout).value());
    for (size_t i = 0; i < out_.size(); ++i) to_.push_back(buffers_[in_.size() + i].bytes().data());
  }

  Status Run(Backend& backend, std::vector<size_t>& told) {
    return backend.Run(1, from_, to_, [&](size_t output) { told.push_back(output); });
  }
  Tensor Output(size_t i) const {
    Tensor tensor = Tensor::Allocate(out_[i].type).value();
    Move(out_[i], to_[i], out_[i].layout, tensor.mutable_bytes().data(), Layout::kDense);
    return tensor;
  }
  const std::vector<wire::Port>& in() const { return in_; }
  const std::vector<wire::Port>& out() const { return out_; }

 private:
  static void Move(const wire::Port& port, const std::byte* source, Layout from, std::byte* target, Layout to) {
    if (port.layout != Layout::kDense) Relayout(port.type, from, source, to, target);
    else std::copy_n(source, SizeBytes(port.type).value(), target);
  }

  std::vector<wire::Port> in_, out_;
  std::vector<Buffer> buffers_;
  std::vector<const std::byte*> from_;
  std::vector<std::byte*> to_;
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = AllCases(kSeed);
  return cases;
}

std::string CaseName(size_t index) {
  std::string name = Cases()[index].name;
  std::ranges::replace(name, '-', 'm');
  std::ranges::replace_if(name, [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class EveryPlan : public testing::TestWithParam<size_t> {};

// Needs no GPU: a case is planned, or refused with the name of its node.
TEST_P(EveryPlan, IsMadeOrRefusesANode) {
  const Case& c = Cases()[GetParam()];
  StaticGraph graph = BindCase(c).value();
  for (Arithmetic arithmetic : {Arithmetic::kFloat32, Arithmetic::kTf32, Arithmetic::kFloat16, Arithmetic::kFloat64}) {
    for (Layout layout : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c}) {
      Result<cuda::SegmentPlan> plan =
          cuda::PlanSegment(graph, arithmetic, PortsOf(graph, InputsOf(graph), layout),
                            PortsOf(graph, graph.graph().outputs, layout));
      if (!plan.ok()) {
        EXPECT_EQ(plan.error().code, ErrorCode::kUnsupported);
        EXPECT_THAT(plan.error().message, HasSubstr("node '"));
        continue;
      }
      EXPECT_EQ(plan->uploads.size(), c.inputs.size());
      EXPECT_EQ(plan->downloads.size(), graph.graph().outputs.size());
      std::vector<cuda::StepUse> uses;
      for (const cuda::StepPlan& step : plan->steps) uses.push_back({step.inputs, step.outputs});
      cuda::Schedule schedule = cuda::PlanSchedule({plan->buffer_bytes, uses, plan->uploads, plan->downloads});
      EXPECT_EQ(schedule.order.size(), plan->downloads.size());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, EveryPlan, testing::Range(size_t{0}, Cases().size()),
                         [](const auto& of) { return CaseName(of.param); });

// What a policy sends to accelerators, this one must compute.
TEST(PlanSegment, EveryOperatorOfTheAcceleratorSetIsComputed) {
  size_t in_set = 0;
  for (const Case& c : Cases()) {
    StaticGraph graph = BindCase(c).value();
    if (!std::ranges::all_of(graph.graph().nodes, [&](const Node& n) { return InAcceleratorSet(graph, n); })) continue;
    ++in_set;
    Result<cuda::SegmentPlan> plan =
        cuda::PlanSegment(graph, Arithmetic::kFloat32, PortsOf(graph, InputsOf(graph), Layout::kDense),
                          PortsOf(graph, graph.graph().outputs, Layout::kDense));
    EXPECT_TRUE(plan.ok()) << c.name << ": " << plan.error().message;
  }
  EXPECT_GT(in_set * 10, Cases().size() * 8) << in_set << " of " << Cases().size();
}

using OnGpuParam = std::tuple<size_t, Arithmetic, Layout>;

// OpenedOnce is the backend of all cases: starting the libraries takes longer than a case.
const Result<std::unique_ptr<Backend>>& OpenedOnce() {
  static const Result<std::unique_ptr<Backend>> opened = CudaBackend::Open(0);
  return opened;
}

class EveryOperatorOnGpu : public testing::TestWithParam<OnGpuParam> {
 protected:
  void SetUp() override {
    if (!OpenedOnce().ok()) GTEST_SKIP() << OpenedOnce().error().message;
    backend_ = OpenedOnce().value().get();
  }
  void TearDown() override {
    if (backend_ != nullptr) backend_->DropSegments();
  }
  Backend* backend_ = nullptr;
};

TEST_P(EveryOperatorOnGpu, AgreesWithTheReference) {
  auto [index, arithmetic, layout] = GetParam();
  const Case& c = Cases()[index];
  SCOPED_TRACE(c.name + ", seed " + std::to_string(kSeed));
  if (!std::ranges::count(backend_->info().arithmetics, arithmetic)) GTEST_SKIP() << "this GPU lacks the arithmetic";
  StaticGraph graph = BindCase(c).value();
  Exchange exchange(c.inputs, PortsOf(graph, InputsOf(graph), layout), PortsOf(graph, graph.graph().outputs, layout));
  Status loaded = backend_->LoadSegment(1, graph, arithmetic, exchange.in(), exchange.out());
  if (!loaded.ok() && loaded.error().code == ErrorCode::kUnsupported) GTEST_SKIP() << loaded.error().message;
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  std::vector<Tensor> expected = reference::Interpret(graph, c.inputs).value();
  // The first run is submitted step by step, the second recorded, the third runs what was recorded.
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::vector<size_t> told;
    Status ran = exchange.Run(*backend_, told);
    ASSERT_TRUE(ran.ok()) << ran.error().message;
    std::ranges::sort(told);
    ASSERT_EQ(told.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(told[i], i);
      ExpectClose(exchange.Output(i), expected[i], BoundOf(arithmetic));
    }
  }
}

std::string OnGpuName(const testing::TestParamInfo<OnGpuParam>& info) {
  auto [index, arithmetic, layout] = info.param;
  return CaseName(index) + "_" + std::to_string(static_cast<int>(arithmetic)) + "_" +
         std::to_string(static_cast<int>(layout));
}

INSTANTIATE_TEST_SUITE_P(Float32, EveryOperatorOnGpu,
                         testing::Combine(testing::Range(size_t{0}, Cases().size()),
                                          testing::Values(Arithmetic::kFloat32),
                                          testing::Values(Layout::kDense, Layout::kNhwc, Layout::kNChw16c)),
                         OnGpuName);
INSTANTIATE_TEST_SUITE_P(OtherArithmetics, EveryOperatorOnGpu,
                         testing::Combine(testing::Range(size_t{0}, Cases().size()),
                                          testing::Values(Arithmetic::kTf32, Arithmetic::kFloat16, Arithmetic::kFloat64),
                                          testing::Values(Layout::kDense)),
                         OnGpuName);

TEST(CudaBackend, AGpuThatIsNotThereIsNamed) {
  Result<std::unique_ptr<Backend>> opened = CudaBackend::Open(4096);
  ASSERT_FALSE(opened.ok());
  bool none = opened.error().code == ErrorCode::kUnavailable;  // no driver or no GPU at all
  EXPECT_TRUE(none || opened.error().code == ErrorCode::kInvalidArgument);
  EXPECT_THAT(opened.error().message, testing::AnyOf(HasSubstr("GPU"), HasSubstr("driver")));
}

}  // namespace
}  // namespace soter::conformance
