// The rounding errors of honest results of a GPU, as Freivalds' check sees them, for each arithmetic: how much of its
// tolerance the worst of a million columns of odd shapes needs, each column with data and probes of its own
// (docs/spec/integrity.md section 1). With the backend emulated-gpu: a simulation of rounding on the CPU.
#include <CLI/CLI.hpp>
#include <bit>
#include <cmath>
#include <cstdio>

#include "tests/emulation/emulated_gpu.h"
#include "trusted/check/freivalds.h"
#include "untrusted/backend/module.h"

namespace soter {
namespace {

constexpr int kProbes = 3;

// How x is distributed: Gaussian, Gaussian after a ReLU, or around a mean that does not vanish.
enum class Inputs { kGaussian, kRectified, kBiased };
constexpr const char* kInputNames[] = {"gaussian", "rectified", "biased"};

struct Options {
  std::string backend = "emulated-gpu";
  std::vector<std::string> precisions = {"fp32", "tf32", "fp16", "fp64"};
  int64_t columns = 1'000'000;
  uint32_t device = 0;
  uint64_t seed = 2026;
  bool cut = false;
};

struct Case {
  Op op;
  Shape x, weight;
};

int64_t From(RandomSource& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(high - low + 1)));
}

// A quarter each: dense layers, 3x3 convolutions of stride 1, transposed convolutions, convolutions of other kinds.
Case DrawCase(RandomSource& random) {
  int64_t in = 8 * From(random, 1, 32), out = From(random, 16, 96), size = From(random, 9, 40);
  uint64_t kind = random.NextBelow(4);
  if (kind == 0) return {Linear{}, {From(random, 16, 256), From(random, 16, 4096)}, {out, 0}};
  int64_t kernel = kind == 1 ? 3 : 1 + 2 * From(random, 0, 2), stride = kind == 1 ? 1 : From(random, 1, 2);
  int64_t pad = From(random, 0, kernel / 2);
  Window window{{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
  if (kind == 2) {
    ConvTranspose transpose{.window = window, .output_padding = {0, 0}};
    return {transpose, {1, in, size / 2 + 1, size / 2}, {in, out, kernel, kernel}};
  }
  return {Conv{.window = window}, {1, in, size, size + From(random, 0, 5)}, {out, in, kernel, kernel}};
}

// GaussianPool is Gaussian values for weights, from a random place on: drawing each afresh would take most of the time.
// Data and probes are drawn afresh.
class GaussianPool {
 public:
  explicit GaussianPool(RandomSource& random) : values_(size_t{1} << 21) {
    for (double& value : values_) value = random.NextGaussian();
  }
  void Start(RandomSource& random) { at_ = random.NextBelow(values_.size()); }
  double Next() { return values_[at_++ % values_.size()]; }

 private:
  std::vector<double> values_;
  uint64_t at_ = 0;
};

Tensor Draw(const Shape& shape, Inputs inputs, RandomSource& random, GaussianPool* pool = nullptr) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  if (pool != nullptr) pool->Start(random);
  for (float& value : tensor.MutableAs<float>()) {
    double gaussian = pool != nullptr ? pool->Next() : random.NextGaussian();
    if (inputs == Inputs::kRectified) gaussian = std::max(gaussian, 0.0);
    if (inputs == Inputs::kBiased) gaussian = 0.25 * gaussian + 1.0;
    value = static_cast<float>(gaussian);
  }
  return tensor;
}

// Cut drops what tf32 has no place for, as hardware may that rounds towards zero.
Tensor Cut(const Tensor& tensor) {
  constexpr uint32_t kKept = 0xffffe000;
  Tensor cut = tensor.Clone();
  for (float& value : cut.MutableAs<float>()) value = std::bit_cast<float>(std::bit_cast<uint32_t>(value) & kKept);
  return cut;
}

constexpr WeightId kWeight = 1, kBias = 2;

StaticGraph BindOne(const Case& drawn, const TensorType& weight, const TensorType& bias) {
  Graph graph;
  ValueId x = graph.AddValue("x"), w = graph.AddValue("w"), b = graph.AddValue("b"), y = graph.AddValue("y");
  std::vector<Dim> dims;
  for (int64_t extent : drawn.x) dims.push_back(Dim::Constant(extent));
  graph.inputs.push_back({x, DType::kFloat32, dims});
  graph.initializers.push_back({w, weight, nullptr, kWeight});
  graph.initializers.push_back({b, bias, nullptr, kBias});
  graph.nodes.push_back({"linear", drawn.op, {x, w, b}, {y}});
  graph.outputs.push_back(y);
  Result<ValidatedGraph> valid = ValidatedGraph::Validate(std::move(graph));
  CHECK(valid.ok(), valid.error().message.c_str());
  Result<StaticGraph> bound = Bind(*valid, std::span(&drawn.x, 1));
  CHECK(bound.ok(), bound.error().message.c_str());
  return std::move(bound).value();
}

// Worst of all columns: the share of the tolerance that was needed, and the residual in units of 2^-24 sqrt(k + 64)
// scale and of 2^-11 scale.
struct Worst {
  int64_t columns = 0, alarms = 0;
  double share = 0, sum_units = 0, operand_units = 0;
};

// Measurement compares one backend's results in one arithmetic with what the check allows.
class Measurement {
 public:
  Measurement(Backend& backend, wire::Arithmetic arithmetic, bool cut, RandomSource& random)
      : backend_(backend), arithmetic_(arithmetic), cut_(cut), random_(random), pool_(random) {}

  Worst Run(Inputs inputs, int64_t columns) {
    Worst worst;
    while (worst.columns < columns) Measure(inputs, worst);
    return worst;
  }

 private:
  void Measure(Inputs inputs, Worst& worst) {
    Case drawn = DrawCase(random_);
    if (std::holds_alternative<Linear>(drawn.op)) drawn.weight[1] = drawn.x[1];
    Tensor weight = Draw(drawn.weight, inputs == Inputs::kBiased ? Inputs::kBiased : Inputs::kGaussian, random_, &pool_);
    int64_t outputs = drawn.weight[std::holds_alternative<ConvTranspose>(drawn.op) ? 1 : 0];
    Tensor bias = Draw({outputs}, Inputs::kGaussian, random_);
    StaticGraph graph = BindOne(drawn, weight.type(), bias.type());
    const Node& node = graph.graph().nodes[0];
    TensorType x_type = graph.type(0), y_type = graph.type(graph.graph().outputs[0]);
    Load(graph, weight, bias, x_type, y_type);
    RoundingFamily family = FamilyOf(node, arithmetic_, control::WorkerKind::kGpu);
    Freivalds check = Freivalds::Create({node, x_type, y_type, Layout::kDense, Layout::kDense, weight, &bias}, family, 2,
                                        random_, kProbes);
    FreivaldsScratch scratch;
    scratch.Reserve(check.scratch_bytes()).value();
    Tensor x = Draw(drawn.x, inputs, random_), y = Tensor::Allocate(y_type).value();
    Compute(cut_ ? Cut(x) : x.Clone(), y);
    worst.alarms += !check.Check(x.As<float>(), Claim({y_type, Layout::kDense, y.mutable_bytes()}), scratch).ok();
    worst.columns += static_cast<int64_t>(check.tolerances(scratch).size());
    Note(GeometryOf(node, x_type, weight.type(), y_type).inner_count(), ModelOf(family), check.largest_ratio(), worst);
  }

  void Load(const StaticGraph& graph, const Tensor& weight, const Tensor& bias, const TensorType& x_type,
            const TensorType& y_type) {
    backend_.DropSegments();
    backend_.DropWeights();
    backend_.LoadWeight(kWeight, std::make_shared<const Tensor>(cut_ ? Cut(weight) : weight.Clone())).value();
    backend_.LoadWeight(kBias, std::make_shared<const Tensor>(bias.Clone())).value();
    wire::Port x{.type = x_type}, y{.type = y_type};
    wire::Arithmetic arithmetic = cut_ ? wire::Arithmetic::kFloat32 : arithmetic_;
    Status loaded = backend_.LoadSegment(1, graph, arithmetic, std::span(&x, 1), std::span(&y, 1));
    CHECK(loaded.ok(), loaded.error().message.c_str());
  }

  void Compute(const Tensor& x, Tensor& y) {
    const std::byte* in = x.bytes().data();
    std::byte* out = y.mutable_bytes().data();
    backend_.Run(1, {&in, 1}, {&out, 1}, [](size_t) {}).value();
  }

  static void Note(int64_t k, const RoundingModel& model, double share, Worst& worst) {
    double sum_unit = 0x1p-24 * std::sqrt(static_cast<double>(k) + kExtraTerms), operand_unit = 0x1p-11;
    double tolerance = model.factor * sum_unit + model.operand_factor * model.operand_roundoff;
    worst.share = std::max(worst.share, share);
    worst.sum_units = std::max(worst.sum_units, share * tolerance / sum_unit);
    worst.operand_units = std::max(worst.operand_units, share * tolerance / operand_unit);
  }

  Backend& backend_;
  wire::Arithmetic arithmetic_;
  bool cut_;
  RandomSource& random_;
  GaussianPool pool_;
};

Result<std::unique_ptr<Backend>> OpenBackend(const Options& options) {
  constexpr uint32_t kThreads = 2;
  if (options.backend == "emulated-gpu") return emulation::EmulatedGpuFactory()(kThreads);
  BackendModule module = TRY(OpenCudaModule(options.device));
  return TRY(module.factory)(kThreads);
}

wire::Arithmetic ArithmeticOf(const std::string& name) {
  for (int i = 0; i < static_cast<int>(wire::Arithmetic::kLast); ++i) {
    if (name == wire::ArithmeticName(static_cast<wire::Arithmetic>(i))) return static_cast<wire::Arithmetic>(i);
  }
  return wire::Arithmetic::kLast;
}

Status Measure(const Options& options) {
  std::unique_ptr<Backend> backend = TRY(OpenBackend(options));
  std::printf("%s: %s, seed %llu\n", backend->info().name.c_str(), backend->info().device.c_str(),
              static_cast<unsigned long long>(options.seed));
  std::printf("%-10s %-10s %9s %7s %9s %20s %16s\n", "arithmetic", "data", "columns", "alarms", "margin",
              "/ 2^-24 sqrt(k+64)", "/ 2^-11");
  auto random = MakeSeededRandom(options.seed);
  for (const std::string& name : options.precisions) {
    Measurement measurement(*backend, ArithmeticOf(name), options.cut, *random);
    for (Inputs inputs : {Inputs::kGaussian, Inputs::kRectified, Inputs::kBiased}) {
      Worst worst = measurement.Run(inputs, options.columns);
      std::printf("%-10s %-10s %9lld %7lld %9.2f %20.3f %16.3f\n", name.c_str(), kInputNames[static_cast<size_t>(inputs)],
                  static_cast<long long>(worst.columns), static_cast<long long>(worst.alarms), 1 / worst.share,
                  worst.sum_units, worst.operand_units);
      std::fflush(stdout);
    }
  }
  return {};
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  CLI::App app("How much of Freivalds' tolerance a GPU's honest results need.");
  soter::Options options;
  app.add_option("--backend", options.backend, "cuda, or emulated-gpu: a simulation of rounding on the CPU")
      ->check(CLI::IsMember({"cuda", "emulated-gpu"}))->capture_default_str();
  app.add_option("--precision", options.precisions, "arithmetics, with commas")
      ->delimiter(',')->check(CLI::IsMember({"fp32", "tf32", "fp16", "fp64"}));
  app.add_option("--columns", options.columns, "of each arithmetic and kind of data")->capture_default_str();
  app.add_option("--device", options.device, "which GPU");
  app.add_option("--seed", options.seed, "of data and probes")->capture_default_str();
  app.add_flag("--cut", options.cut, "give the backend operands cut to tf32, and have it compute in fp32");
  CLI11_PARSE(app, argc, argv);
  soter::Status measured = soter::Measure(options);
  if (measured.ok()) return 0;
  std::fprintf(stderr, "gpu_constants: %s\n", measured.error().message.c_str());
  return 1;
}
