// VGG19 at [1, 3, 224, 224]: Program against a bare oneDNN program of the same layers (prepacked weights, fused ReLU,
// the library's own layouts), run in turns so that both meet the same machine.
// Usage: vgg19_bench; the counters are medians in milliseconds, and their ratio.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <unordered_map>

#include "common/compute/program.h"
#include "common/graph/testing/graph_builder.h"

namespace soter {
namespace {

struct Block {
  int64_t convolutions, channels;
};
constexpr Block kBlocks[] = {{2, 64}, {2, 128}, {4, 256}, {4, 512}, {4, 512}};
constexpr int64_t kDense[] = {4096, 4096, 1000};

std::shared_ptr<const Tensor> RandomWeight(const Shape& shape, std::mt19937& engine) {
  int64_t fan_in = 1;
  for (size_t d = 1; d < shape.size(); ++d) fan_in *= shape[d];
  std::normal_distribution<float> normal(0.0f, std::sqrt(2.0f / static_cast<float>(fan_in)));
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  for (float& v : tensor.MutableAs<float>()) v = normal(engine);
  return std::make_shared<const Tensor>(std::move(tensor));
}

// Weights of all layers in order: weight, bias, weight, bias, ...
std::vector<std::shared_ptr<const Tensor>> MakeWeights() {
  std::mt19937 engine(1);
  std::vector<std::shared_ptr<const Tensor>> weights;
  auto add = [&](const Shape& shape) {
    weights.push_back(RandomWeight(shape, engine));
    weights.push_back(RandomWeight({shape[0]}, engine));
  };
  int64_t channels = 3;
  for (const Block& block : kBlocks) {
    for (int64_t i = 0; i < block.convolutions; ++i, channels = block.channels) add({block.channels, channels, 3, 3});
  }
  int64_t width = 512 * 7 * 7;
  for (int64_t n : kDense) add({n, width}), width = n;
  return weights;
}

StaticGraph MakeGraph(const std::vector<std::shared_ptr<const Tensor>>& weights) {
  GraphBuilder builder;
  size_t next = 0;
  auto weight = [&] { return builder.Weight(weights[next++]->shape()); };
  auto relu = [&](ValueId x) { return builder.Add(Unary{.kind = UnaryKind::kRelu}, {x}); };
  ValueId x = builder.Input("x", Shape{1, 3, 224, 224});
  Window three{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, half{{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}};
  for (const Block& block : kBlocks) {
    for (int64_t i = 0; i < block.convolutions; ++i) {
      ValueId w = weight(), b = weight();
      x = relu(builder.Add(Conv{.window = three}, {x, w, b}));
    }
    x = builder.Add(Pool{.window = half}, {x});
  }
  x = builder.Add(Flatten{}, {x});
  for (size_t i = 0; i < std::size(kDense); ++i) {
    ValueId w = weight(), b = weight();
    x = builder.Add(Linear{}, {x, w, b});
    if (i + 1 < std::size(kDense)) x = relu(x);
  }
  builder.Output(x);
  return builder.Bind({{1, 3, 224, 224}}).value();
}

// Bare is the same network written against oneDNN directly.
class Bare {
 public:
  explicit Bare(const std::vector<std::shared_ptr<const Tensor>>& weights)
      : engine_(dnnl::engine::kind::cpu, 0), stream_(engine_), weights_(weights) {
    input_ = dnnl::memory({{1, 3, 224, 224}, f32, tag::nchw}, engine_);
    dnnl::memory x = input_;
    int64_t channels = 3, extent = 224;
    for (const Block& block : kBlocks) {
      for (int64_t i = 0; i < block.convolutions; ++i, channels = block.channels)
        x = AddConvolution(x, channels, block.channels, extent);
      x = AddPool(x, channels, extent /= 2);
    }
    dnnl::memory::dims source = {1, 512, 7, 7};
    for (size_t i = 0; i < std::size(kDense); ++i) {
      x = AddDense(x, source, kDense[i], i + 1 < std::size(kDense));
      source = {1, kDense[i]};
    }
    output_ = x;
  }

  void Run(const float* x, float* y) {
    std::copy(x, x + 3 * 224 * 224, static_cast<float*>(input_.get_data_handle()));
    for (auto& [primitive, arguments] : steps_) primitive.execute(stream_, arguments);
    stream_.wait();
    std::copy_n(static_cast<const float*>(output_.get_data_handle()), 1000, y);
  }

 private:
  using tag = dnnl::memory::format_tag;
  static constexpr auto f32 = dnnl::memory::data_type::f32;
  static constexpr auto kForward = dnnl::prop_kind::forward_inference;
  using Arguments = std::unordered_map<int, dnnl::memory>;

  dnnl::memory::desc Any(const dnnl::memory::dims& dims) { return {dims, f32, tag::any}; }

  dnnl::memory Reordered(const dnnl::memory& from, const dnnl::memory::desc& to, bool now) {
    if (from.get_desc() == to) return from;
    dnnl::memory target(to, engine_);
    dnnl::reorder reorder(from, target);
    if (now) reorder.execute(stream_, {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, target}});
    else steps_.push_back({reorder, Arguments{{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, target}}});
    stream_.wait();
    return target;
  }

  dnnl::memory Weight(const dnnl::memory::dims& dims, tag plain, const dnnl::memory::desc& packed) {
    const Tensor& tensor = *weights_[next_++];
    dnnl::memory dense({dims, f32, plain}, engine_, const_cast<std::byte*>(tensor.bytes().data()));
    return Reordered(dense, packed, true);
  }

  static dnnl::primitive_attr Relu(bool relu) {
    dnnl::primitive_attr attributes;
    dnnl::post_ops ops;
    if (relu) ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
    attributes.set_post_ops(ops);
    return attributes;
  }

  dnnl::memory AddConvolution(dnnl::memory x, int64_t in, int64_t out, int64_t extent) {
    using Forward = dnnl::convolution_forward;
    Forward::desc desc(kForward, dnnl::algorithm::convolution_direct, Any({1, in, extent, extent}),
                       Any({out, in, 3, 3}), Any({out}), Any({1, out, extent, extent}), {1, 1}, {1, 1}, {1, 1});
    Forward::primitive_desc primitive(desc, Relu(true), engine_);
    x = Reordered(x, primitive.src_desc(), false);
    dnnl::memory w = Weight({out, in, 3, 3}, tag::oihw, primitive.weights_desc());
    dnnl::memory b = Weight({out}, tag::x, primitive.bias_desc());
    dnnl::memory y(primitive.dst_desc(), engine_);
    Arguments arguments = {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}};
    steps_.push_back({Forward(primitive), arguments});
    return y;
  }

  dnnl::memory AddPool(const dnnl::memory& x, int64_t channels, int64_t extent) {
    using Forward = dnnl::pooling_forward;
    Forward::desc desc(kForward, dnnl::algorithm::pooling_max, x.get_desc(), Any({1, channels, extent, extent}),
                       {2, 2}, {2, 2}, {0, 0}, {0, 0});
    Forward::primitive_desc primitive(desc, engine_);
    dnnl::memory y(primitive.dst_desc(), engine_);
    steps_.push_back({Forward(primitive), Arguments{{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, y}}});
    return y;
  }

  dnnl::memory AddDense(dnnl::memory x, const dnnl::memory::dims& source, int64_t n, bool relu) {
    using Forward = dnnl::inner_product_forward;
    dnnl::memory::dims weight = source;
    weight[0] = n;
    Forward::desc desc(kForward, Any(source), Any(weight), Any({n}), Any({1, n}));
    Forward::primitive_desc primitive(desc, Relu(relu), engine_);
    x = Reordered(x, primitive.src_desc(), false);
    dnnl::memory w = Weight(weight, weight.size() == 4 ? tag::oihw : tag::oi, primitive.weights_desc());
    dnnl::memory b = Weight({n}, tag::x, primitive.bias_desc());
    dnnl::memory y(primitive.dst_desc(), engine_);
    Arguments arguments = {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}};
    steps_.push_back({Forward(primitive), arguments});
    return y;
  }

  dnnl::engine engine_;
  dnnl::stream stream_;
  const std::vector<std::shared_ptr<const Tensor>>& weights_;
  size_t next_ = 0;
  std::vector<std::pair<dnnl::primitive, Arguments>> steps_;
  dnnl::memory input_, output_;
};

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

template <typename F>
double Milliseconds(F f) {
  auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void Vgg19(benchmark::State& state) {
  int threads = static_cast<int>(state.range(0));
  omp_set_num_threads(threads);
  static const std::vector<std::shared_ptr<const Tensor>> weights = MakeWeights();
  Bare bare(weights);
  StaticGraph graph = MakeGraph(weights);
  auto source = [&](const Initializer& initializer) -> Result<std::shared_ptr<const Tensor>> {
    return weights[static_cast<size_t>(&initializer - graph.graph().initializers.data())];
  };
  Program program = Program::Compile(graph, source, {.threads = threads}).value();
  std::mt19937 engine(2);
  std::shared_ptr<const Tensor> x = RandomWeight({1, 3, 224, 224}, engine);
  Tensor y = Tensor::Allocate({DType::kFloat32, {1, 1000}}).value(), truth = y.Clone();
  const std::byte* in[] = {x->bytes().data()};
  std::byte* out[] = {y.mutable_bytes().data()};

  std::vector<double> program_ms, bare_ms;
  for (auto _ : state) {
    program_ms.push_back(Milliseconds([&] { program.Run(in, out).value(); }));
    bare_ms.push_back(Milliseconds([&] { bare.Run(x->As<float>().data(), truth.MutableAs<float>().data()); }));
  }
  double worst = 0, largest = 0;
  for (size_t i = 0; i < 1000; ++i) {
    worst = std::max(worst, static_cast<double>(std::fabs(y.As<float>()[i] - truth.As<float>()[i])));
    largest = std::max(largest, static_cast<double>(std::fabs(truth.As<float>()[i])));
  }
  if (worst > 1e-4 * largest) state.SkipWithError("the two programs disagree");
  state.counters["program_ms"] = Median(program_ms);
  state.counters["onednn_ms"] = Median(bare_ms);
  state.counters["ratio"] = Median(program_ms) / Median(bare_ms);
}

BENCHMARK(Vgg19)->Arg(1)->Arg(2)->Iterations(15)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace soter
