// What Freivalds' check costs on VGG19 at [1, 3, 224, 224], layer by layer, with two threads; beside it the time that
// reading the same bytes once takes (the memory bound). Usage: freivalds_bench
#include <benchmark/benchmark.h>
#include <omp.h>

#include "trusted/check/freivalds.h"

namespace soter {
namespace {

constexpr int kThreads = 2;

struct Layer {
  Op op;
  Shape x, weight, y;
};

Layer ConvLayer(int64_t in, int64_t out, int64_t size) {
  return {Conv{.window = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}}, {1, in, size, size}, {out, in, 3, 3}, {1, out, size, size}};
}

Layer DenseLayer(int64_t in, int64_t out) { return {Linear{}, {1, in}, {out, in}, {1, out}}; }

std::vector<Layer> Vgg19() {
  std::vector<Layer> layers;
  struct { int64_t count, channels; } blocks[] = {{2, 64}, {2, 128}, {4, 256}, {4, 512}, {4, 512}};
  int64_t channels = 3, size = 224;
  for (auto [count, width] : blocks) {
    for (int64_t i = 0; i < count; ++i, channels = width)
      if (channels > 3) layers.push_back(ConvLayer(channels, width, size));  // the first stays in the enclave
    size /= 2;
  }
  for (auto [in, out] : {std::pair<int64_t, int64_t>{25088, 4096}, {4096, 4096}, {4096, 1000}})
    layers.push_back(DenseLayer(in, out));
  return layers;
}

// A check with its operands. What y holds does not matter: time depends on shapes only.
class CheckedLayer {
 public:
  CheckedLayer(const Layer& layer, RandomSource& random)
      : x_(Tensor::Allocate({DType::kFloat32, layer.x}).value()), y_(Tensor::Allocate({DType::kFloat32, layer.y}).value()) {
    Tensor weight = Tensor::Allocate({DType::kFloat32, layer.weight}).value();
    for (Tensor* tensor : {&x_, &y_, &weight})
      for (float& value : tensor->MutableAs<float>()) value = static_cast<float>(random.NextUniform());
    layout_ = layer.x.size() == 4 ? Layout::kNChw16c : Layout::kDense;
    Node node{"layer", layer.op, {}, {}};
    check_.emplace(Freivalds::Create({node, x_.type(), y_.type(), layout_, layout_, weight, nullptr},
                                     FamilyOf(node, wire::Arithmetic::kFloat32, control::WorkerKind::kCpu), kThreads, random));
    scratch_bytes_ = check_->scratch_bytes();
  }
  bool Check(FreivaldsScratch& scratch) {
    return check_->Check(x_.As<float>(), Claim({y_.type(), layout_, y_.mutable_bytes()}), scratch).ok();
  }
  double Read() const {
    double sum = 0;
    for (const Tensor* tensor : {&x_, &y_}) {
      std::span<const float> values = tensor->As<float>();
#pragma omp parallel for simd reduction(+ : sum) num_threads(kThreads)
      for (size_t i = 0; i < values.size(); ++i) sum += values[i];
    }
    return sum;
  }
  size_t bytes() const { return x_.bytes().size() + y_.bytes().size(); }
  size_t scratch_bytes() const { return scratch_bytes_; }

 private:
  Tensor x_, y_;
  Layout layout_;
  std::optional<Freivalds> check_;
  size_t scratch_bytes_ = 0;
};

struct Network {
  std::vector<CheckedLayer> layers;
  FreivaldsScratch scratch;
};

Network& Vgg() {
  static Network* network = [] {
    auto* made = new Network;
    auto random = MakeSeededRandom(1);
    for (const Layer& layer : Vgg19()) {
      made->layers.emplace_back(layer, *random);
      made->scratch.Reserve(made->layers.back().scratch_bytes()).value();
    }
    return made;
  }();
  return *network;
}

void CheckLayer(benchmark::State& state) {
  CheckedLayer& layer = Vgg().layers[static_cast<size_t>(state.range(0))];
  for (auto _ : state) benchmark::DoNotOptimize(layer.Check(Vgg().scratch));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * layer.bytes()));
}

void CheckAll(benchmark::State& state) {
  Network& network = Vgg();
  for (auto _ : state)
    for (CheckedLayer& layer : network.layers) benchmark::DoNotOptimize(layer.Check(network.scratch));
}

void ReadAll(benchmark::State& state) {
  for (auto _ : state)
    for (CheckedLayer& layer : Vgg().layers) benchmark::DoNotOptimize(layer.Read());
}

BENCHMARK(CheckAll)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(ReadAll)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(CheckLayer)->DenseRange(0, 17)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace soter
