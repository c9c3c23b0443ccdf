#pragma once

#include <sys/eventfd.h>

#include <filesystem>
#include <thread>
#include <vector>

#include "common/graph/testing/graph_builder.h"
#include "trusted/engine/remote_accelerator.h"
#include "untrusted/worker/server.h"

// A worker inside the test's own process, on a backend that computes one small network by hand, so that these tests
// look at the conversation and at nothing else.
namespace soter::testing {

inline constexpr int64_t kRows = 3, kWidth = 4;
inline constexpr WeightId kWeight = 7;
inline constexpr uint32_t kSegment = 5;

// LinearRelu is y = x W^T and relu(y): a segment with its pre-activation result.
inline Segment LinearRelu(uint32_t id = kSegment) {
  GraphBuilder builder;
  ValueId x = builder.Input("x", Shape{kRows, kWidth});
  ValueId weight = builder.Weight({kWidth, kWidth});
  builder.graph().initializers.back().weight = kWeight;
  ValueId y = builder.Add(Linear{}, {x, weight});
  ValueId z = builder.Add(Unary{.kind = UnaryKind::kRelu}, {y});
  builder.Output(y, "y");
  builder.Output(z, "z");
  TensorType type{DType::kFloat32, {kRows, kWidth}};
  return {.id = id, .graph = builder.graph(), .input_types = {type}, .output_types = {type, type}};
}

// Ramp is 1, 2, 3, ... with every third number negative.
inline Tensor Ramp(Shape shape) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, std::move(shape)}).value();
  float next = 1;
  for (float& value : tensor.MutableAs<float>()) {
    value = static_cast<int>(next) % 3 == 0 ? -next : next;
    next += 1;
  }
  return tensor;
}

inline std::vector<float> Product(std::span<const float> x, std::span<const float> w) {
  std::vector<float> y(kRows * kWidth, 0.0f);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t column = 0; column < kWidth; ++column) {
      for (int64_t k = 0; k < kWidth; ++k) y[row * kWidth + column] += x[row * kWidth + k] * w[column * kWidth + k];
    }
  }
  return y;
}

class HandBackend : public Backend {
 public:
  BackendInfo info() const override { return {"hand", "paper", {wire::Arithmetic::kFloat32}}; }
  Status LoadWeight(WeightId, std::shared_ptr<const Tensor> weight) override { weight_ = std::move(weight); return {}; }
  Status LoadSegment(uint32_t, const StaticGraph&, wire::Arithmetic, std::span<const wire::Port>,
                     std::span<const wire::Port>) override { return {}; }
  Status Run(uint32_t, std::span<const std::byte* const> inputs, std::span<std::byte* const> outputs,
             const std::function<void(size_t)>& on_output) override {
    std::span x(reinterpret_cast<const float*>(inputs[0]), kRows * kWidth);
    if (x[0] == kRefusedInput) return InvalidArgument("the first number is refused");
    std::vector<float> y = Product(x, weight_->As<float>());
    std::copy(y.begin(), y.end(), reinterpret_cast<float*>(outputs[0]));
    for (float& value : y) value = std::max(value, 0.0f);
    std::copy(y.begin(), y.end(), reinterpret_cast<float*>(outputs[1]));
    on_output(1);  // out of order on purpose: the worker puts them in order
    on_output(0);
    return {};
  }
  void DropSegments() override {}
  void DropWeights() override { weight_.reset(); }

  static constexpr float kRefusedInput = -12345;

 private:
  std::shared_ptr<const Tensor> weight_;
};

// TestFolder is an empty directory that goes with the test.
class TestFolder {
 public:
  TestFolder() {
    char name[] = "/tmp/soter-test-XXXXXX";
    CHECK(::mkdtemp(name) != nullptr, "cannot make a directory");
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class TestWorker {
 public:
  explicit TestWorker(ServerOptions options = {}, const std::string& address = "")
      : listener_(wire::Listener::Listen(
            wire::ParseAddress(address.empty() ? "unix:" + folder_.path() + "/socket" : address).value(),
            wire::Reach::kThisMachine).value()),
        stop_(::eventfd(0, EFD_CLOEXEC)),
        thread_([this, options] { served_ = Server(listener_, Factory(), options).Serve(stop_.get()); }) {}
  ~TestWorker() { Stop(); }

  void Stop() {
    if (!thread_.joinable()) return;
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }
  // Join waits for a worker that ends by itself.
  Status Join() { thread_.join(); return served_; }
  std::string address() const { return wire::AddressString(listener_.address()); }
  RemoteAcceleratorOptions client() const {
    return {.address = address(), .timeout = std::chrono::milliseconds(5000)};
  }

  static BackendFactory Factory() {
    return [](uint32_t) -> Result<std::unique_ptr<Backend>> {
      return std::unique_ptr<Backend>(std::make_unique<HandBackend>());
    };
  }

 private:
  TestFolder folder_;
  wire::Listener listener_;
  UniqueFd stop_;
  Status served_;
  std::thread thread_;
};

inline Accelerator::Deadline In(int milliseconds) {
  return std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
}

// Load uploads the weight and `segments`.
inline Status Load(Accelerator& accelerator, std::vector<Segment> segments = {LinearRelu()}) {
  TRY(accelerator.LoadWeight(kWeight, Ramp({kWidth, kWidth}).view()));
  std::vector<Refusal> refusals = TRY(accelerator.LoadSegments(segments));
  if (!refusals.empty()) return refusals[0].why;
  return {};
}

inline std::vector<float> Floats(std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

// RunOnce sends `x` through a segment and returns both outputs, one behind the other.
inline Result<std::vector<float>> RunOnce(Accelerator& accelerator, const Tensor& x, int timeout_ms = 5000,
                                          uint32_t segment = kSegment) {
  std::ranges::copy(x.bytes(), accelerator.InputBuffer(segment, 0).begin());
  TRY(accelerator.Start(segment, In(timeout_ms)));
  std::vector<float> all;
  for (size_t i = 0; i < 2; ++i) {
    UntrustedTensor output = TRY(accelerator.Await(segment, i, In(timeout_ms)));
    std::vector<float> values = Floats(output.bytes);
    all.insert(all.end(), values.begin(), values.end());
  }
  TRY(accelerator.Finish(segment, In(timeout_ms)));
  return all;
}

// Expected is what an honest worker returns for `x`.
inline std::vector<float> Expected(const Tensor& x) {
  std::vector<float> y = Product(x.As<float>(), Ramp({kWidth, kWidth}).As<float>());
  std::vector<float> both = y;
  for (float value : y) both.push_back(std::max(value, 0.0f));
  return both;
}

}  // namespace soter::testing
