#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "common/graph/graph.h"
#include "tests/cuda_model/model_runtime.h"
#include "untrusted/backend/cuda/segment.h"

// The CUDA backend's streams, events, recordings, memory and failures on a model of the runtime (model_runtime.h) that
// does everything as late and in as odd an order as it may. No GPU is involved.
namespace soter::cuda {
namespace {

using cuda_model::Faults;
using ::testing::HasSubstr;

constexpr size_t kWords = 64;
constexpr size_t kBytes = kWords * sizeof(uint64_t);
using Words = std::vector<uint64_t>;

// Mix is a step's kernel: each word of the result depends on all words of all operands.
Words Mix(const std::vector<Words>& operands, uint64_t salt) {
  uint64_t all = salt;
  for (const Words& words : operands) {
    for (uint64_t word : words) all = (all ^ word) * 0x9e3779b97f4a7c15u + 1;
  }
  Words result(kWords);
  for (size_t i = 0; i < kWords; ++i) result[i] = all + i * salt;
  return result;
}

class MixStep final : public Step {
 public:
  explicit MixStep(uint64_t salt) : salt_(salt) {}
  Result<size_t> Prepare(Device&, const Arguments&) override { return size_t{1000}; }
  Status Launch(const Arguments& a) override {
    std::vector<const uint64_t*> from;
    for (void* input : a.inputs) from.push_back(static_cast<const uint64_t*>(input));
    auto work = [from, to = a.Out<uint64_t>(0), salt = salt_] {
      std::vector<Words> operands;
      for (const uint64_t* words : from) operands.emplace_back(words, words + kWords);
      Words result = Mix(operands, salt);
      std::copy(result.begin(), result.end(), to);
    };
    return CudaStatus(static_cast<cudaError_t>(cuda_model::Launch(a.stream, work)), "launch a kernel");
  }

 private:
  uint64_t salt_;
};

// Net is a random network of Mix steps; some results leave.
struct Net {
  size_t inputs = 0;
  std::vector<std::vector<BufferId>> operands;  // by step; its result is buffer inputs + step
  std::vector<size_t> leaving;                  // steps

  SegmentPlan Plan() const {
    SegmentPlan plan;
    plan.buffer_bytes.assign(inputs + operands.size(), kBytes);
    for (size_t i = 0; i < inputs; ++i) plan.uploads.push_back(static_cast<BufferId>(i)), plan.upload_bytes.push_back(kBytes);
    for (size_t s = 0; s < operands.size(); ++s) {
      plan.steps.push_back({std::make_unique<MixStep>(s + 1), 0, operands[s], {static_cast<BufferId>(inputs + s)}});
    }
    for (size_t step : leaving) {
      plan.downloads.push_back(static_cast<BufferId>(inputs + step));
      plan.download_bytes.push_back(kBytes);
    }
    return plan;
  }

  std::vector<Words> Compute(const std::vector<Words>& given) const {
    std::vector<Words> values = given, results;
    for (size_t s = 0; s < operands.size(); ++s) {
      std::vector<Words> read;
      for (BufferId b : operands[s]) read.push_back(values[b]);
      values.push_back(Mix(read, s + 1));
    }
    for (size_t step : leaving) results.push_back(values[inputs + step]);
    return results;
  }
};

Net RandomNet(std::mt19937_64& random) {
  Net net{.inputs = 1 + random() % 3};
  for (size_t s = 0, steps = 1 + random() % 12; s < steps; ++s) {
    std::vector<BufferId> read;
    for (size_t r = 0, reads = 1 + random() % 3; r < reads; ++r) read.push_back(static_cast<BufferId>(random() % (net.inputs + s)));
    net.operands.push_back(read);
    if (random() % 3 == 0) net.leaving.push_back(s);
  }
  if (net.leaving.empty()) net.leaving.push_back(net.operands.size() - 1);
  return net;
}

// Host is the client's side: buffers in one region, or apart.
struct Host {
  Host(const Net& net, bool pin) : memory((net.inputs + net.leaving.size()) * kWords) {
    for (size_t i = 0; i < net.inputs; ++i) in.push_back(At(i));
    for (size_t o = 0; o < net.leaving.size(); ++o) out.push_back(At(net.inputs + o));
    if (pin) region.Pin(std::as_writable_bytes(std::span(memory)));
  }
  std::byte* At(size_t i) { return reinterpret_cast<std::byte*>(memory.data() + i * kWords); }
  Words Read(size_t output) const {
    const uint64_t* words = reinterpret_cast<const uint64_t*>(out[output]);
    return {words, words + kWords};
  }
  std::vector<Words> Fill(std::mt19937_64& random) {
    std::vector<Words> given;
    for (std::byte* input : in) {
      given.emplace_back(kWords);
      for (uint64_t& word : given.back()) word = random();
      std::memcpy(input, given.back().data(), kBytes);
    }
    return given;
  }

  Words memory;
  std::vector<std::byte*> in, out;
  PinnedRegion region;
};

class Model : public ::testing::Test {
 protected:
  void Open(uint64_t seed, const Faults& faults = {}) {
    weights_.reset();
    device_.reset();
    cuda_model::Reset(seed, faults);
    device_ = Device::Open(0).value();
    weights_ = std::make_unique<Weights>(*device_);
  }
  Result<std::unique_ptr<Segment>> Load(const Net& net) {
    return Segment::Load(*device_, *weights_, StaticGraphOfNothing(), net.Plan());
  }

  // Steps name no node here unless they fail.
  static const StaticGraph& StaticGraphOfNothing() {
    static const StaticGraph graph = [] {
      Graph made;
      ValueId x = made.AddValue("x"), y = made.AddValue("y");
      made.inputs.push_back({x, DType::kFloat32, {Dim::Constant(1)}});
      made.nodes.push_back({"mix", Unary{}, {x}, {y}});
      made.outputs.push_back(y);
      std::vector<Shape> shapes = {{1}};
      return Bind(ValidatedGraph::Validate(std::move(made)).value(), shapes).value();
    }();
    return graph;
  }

  // RunRight runs once and looks at each output at the moment at which it is announced.
  static Status RunRight(Segment& segment, const Net& net, Host& host, std::mt19937_64& random) {
    std::vector<Words> expected = net.Compute(host.Fill(random));
    std::vector<size_t> told;
    Status ran = segment.Run(host.region, host.in, host.out, [&](size_t output) {
      told.push_back(output);
      EXPECT_EQ(host.Read(output), expected[output]) << "output " << output << " was announced before it was there";
    });
    EXPECT_TRUE(!ran.ok() || told.size() == net.leaving.size());
    return ran;
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<Weights> weights_;
};

TEST_F(Model, EveryRunIsRightWhateverTheOrderOfTheStreams) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Open(seed);
    Net net = RandomNet(random);
    Host host(net, seed % 2 == 0);
    auto segment = Load(net).value();
    for (int run = 0; run < 5; ++run) ASSERT_TRUE(RunRight(*segment, net, host, random).ok());
    EXPECT_EQ(cuda_model::recordings_run(), 4u);  // all but the first
  }
}

TEST_F(Model, SegmentsShareTheirMemoryAndTakeTurns) {
  std::mt19937_64 random(5);
  Open(5);
  std::vector<Net> nets;
  std::vector<std::unique_ptr<Segment>> segments;
  std::vector<std::unique_ptr<Host>> hosts;
  size_t largest = 0;
  for (int i = 0; i < 12; ++i) {
    nets.push_back(RandomNet(random));
    size_t before = cuda_model::allocated_bytes();
    segments.push_back(Load(nets.back()).value());
    largest = std::max(largest, cuda_model::allocated_bytes() - before);
    hosts.push_back(std::make_unique<Host>(nets.back(), i % 2 == 0));
  }
  for (int turn = 0; turn < 60; ++turn) {
    size_t i = random() % nets.size();
    ASSERT_TRUE(RunRight(*segments[i], nets[i], *hosts[i], random).ok());
  }
  EXPECT_LT(cuda_model::allocated_bytes(), 4 * largest);
}

TEST_F(Model, OtherHostMemoryMakesANewRecording) {
  std::mt19937_64 random(6);
  Open(6);
  Net net = RandomNet(random);
  auto segment = Load(net).value();
  for (int host_count = 0; host_count < 3; ++host_count) {
    Host host(net, true);
    for (int run = 0; run < 3; ++run) ASSERT_TRUE(RunRight(*segment, net, host, random).ok());
  }
}

TEST_F(Model, WithoutPinningOrRecordingsItIsSlowerAndAsRight) {
  for (Faults faults : {Faults{.no_pinning = true}, Faults{.no_recording = true}}) {
    std::mt19937_64 random(7);
    Open(7, faults);
    Net net = RandomNet(random);
    Host host(net, true);
    auto segment = Load(net).value();
    for (int run = 0; run < 4; ++run) ASSERT_TRUE(RunRight(*segment, net, host, random).ok());
    EXPECT_EQ(cuda_model::recordings_run(), faults.no_recording ? 0u : 3u);
  }
}

TEST_F(Model, FullMemoryIsExhaustionAndTheNextSegmentStillLoads) {
  std::mt19937_64 random(8);
  Open(8, {.device_bytes = 100'000});
  Net large = RandomNet(random), small = RandomNet(random);
  SegmentPlan plan = large.Plan();
  plan.buffer_bytes.assign(plan.buffer_bytes.size(), 1'000'000);
  EXPECT_EQ(Segment::Load(*device_, *weights_, StaticGraphOfNothing(), std::move(plan)).error().code, ErrorCode::kExhausted);
  Host host(small, true);
  auto segment = Load(small).value();
  EXPECT_TRUE(RunRight(*segment, small, host, random).ok());
  Tensor weight = Tensor::Allocate({DType::kFloat32, {1'000'000}}).value();
  EXPECT_EQ(weights_->Upload(1, weight).error().code, ErrorCode::kExhausted);
  EXPECT_TRUE(RunRight(*segment, small, host, random).ok());
}

// Losing the device is for good in a process, so each of these starts one of its own, anew: a fork has no threads.
class LostModel : public Model {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(LostModel, AFaultEndsTheRunAndEveryLaterOne) {
  auto lose = [this] {
    std::mt19937_64 random(9);
    Open(9);
    Net net = RandomNet(random);
    Host host(net, true);
    auto segment = Load(net).value();
    bool right = RunRight(*segment, net, host, random).ok();
    cuda_model::SetFaults({.launch_fails_after = 0});
    Status failed = RunRight(*segment, net, host, random), later = RunRight(*segment, net, host, random);
    bool unavailable = !failed.ok() && failed.error().code == ErrorCode::kUnavailable && !later.ok();
    std::_Exit(right && unavailable && IsLost() && !Load(net).ok() ? 0 : 1);
  };
  EXPECT_EXIT(lose(), ::testing::ExitedWithCode(0), "");
}

TEST_F(LostModel, AKernelThatNeverEndsIsGivenUp) {
  auto hang = [this] {
    std::mt19937_64 random(10);
    Open(10);
    SetPatience(std::chrono::milliseconds(200));
    Net net = RandomNet(random);
    Host host(net, true);
    auto segment = Load(net).value();
    cuda_model::SetFaults({.hangs = true});
    Status hung = RunRight(*segment, net, host, random);
    segment.reset();  // must not wait for the device
    bool told = !hung.ok() && hung.error().code == ErrorCode::kUnavailable;
    std::_Exit(told && hung.error().message.find("no progress") != std::string::npos && IsLost() ? 0 : 1);
  };
  EXPECT_EXIT(hang(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace soter::cuda
