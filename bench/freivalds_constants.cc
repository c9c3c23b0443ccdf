// The rounding errors of honest results, as Freivalds' check sees them: for each family of algorithms the largest
// residual over a million columns of odd shapes, in units of u sqrt(k + kExtraTerms) scale; the factor in
// trusted/check/rounding.h must be a margin above it (docs/spec/integrity.md section 1).
// Usage: freivalds_constants [COLUMNS]
#include <cstdio>
#include <cstdlib>

#include "common/compute/program.h"
#include "trusted/check/freivalds.h"

namespace soter {
namespace {

// How x is distributed: Gaussian, Gaussian after a ReLU, or around a mean that does not vanish.
enum class Inputs { kGaussian, kRectified, kBiased };
constexpr const char* kInputNames[] = {"gaussian", "rectified", "biased"};

struct Case {
  Op op;
  Shape x, weight;
};

// Gaussian values from a pool, in pieces from random places: drawing each afresh would take most of the time.
class GaussianPool {
 public:
  explicit GaussianPool(RandomSource& random) : random_(random), pool_(size_t{1} << 20) {
    for (double& value : pool_) value = random.NextGaussian();
  }
  double Next() {
    if (left_ == 0) left_ = 1 + random_.NextBelow(1000), at_ = random_.NextBelow(pool_.size() - left_);
    --left_;
    return pool_[at_++];
  }

 private:
  RandomSource& random_;
  std::vector<double> pool_;
  uint64_t left_ = 0, at_ = 0;
};

Tensor Draw(const Shape& shape, Inputs inputs, RandomSource& random) {
  static GaussianPool pool(random);
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  for (float& value : tensor.MutableAs<float>()) {
    double gaussian = pool.Next();
    if (inputs == Inputs::kRectified) gaussian = std::max(gaussian, 0.0);
    if (inputs == Inputs::kBiased) gaussian = 0.25 * gaussian + 1.0;
    value = static_cast<float>(gaussian);
  }
  return tensor;
}

Case DrawCase(RoundingFamily family, RandomSource& random) {
  auto from = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random.NextBelow(static_cast<uint64_t>(high - low + 1)));
  };
  bool winograd = family == RoundingFamily::kWinograd;
  if (!winograd && random.NextBelow(4) == 0) {
    int64_t rows = from(16, 256), k = from(16, 3000), n = from(16, 200);
    return {Linear{}, {rows, k}, {n, k}};
  }
  int64_t in = 16 * from(1, 16), out = 16 * from(1, 6), size = from(9, 40);
  int64_t kernel = winograd ? 3 : 1 + 2 * from(0, 2), stride = winograd ? 1 : from(1, 2), pad = from(0, kernel / 2);
  if (!winograd && kernel == 3 && stride == 1) stride = 2;
  Conv conv{.window = {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}}};
  return {conv, {1, in, size, size + from(0, 5)}, {out, in, kernel, kernel}};
}

StaticGraph BindOne(const Case& drawn, const Tensor& weight, const Tensor& bias) {
  Graph graph;
  ValueId x = graph.AddValue("x"), w = graph.AddValue("w"), b = graph.AddValue("b"), y = graph.AddValue("y");
  std::vector<Dim> dims;
  for (int64_t extent : drawn.x) dims.push_back(Dim::Constant(extent));
  graph.inputs.push_back({x, DType::kFloat32, dims});
  graph.initializers.push_back({w, weight.type(), std::make_shared<const Tensor>(weight.Clone())});
  graph.initializers.push_back({b, bias.type(), std::make_shared<const Tensor>(bias.Clone())});
  graph.nodes.push_back({"linear", drawn.op, {x, w, b}, {y}});
  graph.outputs.push_back(y);
  return Bind(ValidatedGraph::Validate(std::move(graph)).value(), std::span(&drawn.x, 1)).value();
}

struct Worst {
  int64_t columns = 0;
  double ratio = 0;
};

void Measure(const Case& drawn, RoundingFamily family, Inputs inputs, RandomSource& random, Worst& worst) {
  Tensor weight = Draw(drawn.weight, inputs == Inputs::kBiased ? Inputs::kBiased : Inputs::kGaussian, random);
  Tensor bias = Draw({drawn.weight[0]}, Inputs::kGaussian, random);
  StaticGraph graph = BindOne(drawn, weight, bias);
  const TensorType &x_type = graph.type(0), &y_type = graph.type(graph.graph().outputs[0]);
  auto source = [](const Initializer& i) -> Result<std::shared_ptr<const Tensor>> { return i.data; };
  Program probe = Program::Compile(graph, source, {.threads = 2, .tuning = Tuning::kMeasured}).value();
  // In the layouts that the engine prefers, so that it takes the algorithm of a real run.
  Layout x_layout = probe.PreferredInputLayouts()[0], y_layout = probe.PreferredOutputLayouts()[0];
  Program program = Program::Compile(graph, source, {.threads = 2, .input_layouts = {x_layout},
                                                    .output_layouts = {y_layout},
                                                    .tuning = Tuning::kMeasured}).value();
  Freivalds check = Freivalds::Create({graph.graph().nodes[0], x_type, y_type, x_layout, y_layout, weight, &bias},
                                      family, 2, random, 3);
  FreivaldsScratch scratch;
  scratch.Reserve(check.scratch_bytes()).value();
  Buffer x(LaidOutBytes(x_type, x_layout).value()), y(LaidOutBytes(y_type, y_layout).value());
  for (int i = 0; i < 4; ++i) {
    Tensor dense = Draw(drawn.x, inputs, random);
    Relayout(x_type, Layout::kDense, dense.bytes().data(), x_layout, x.bytes().data());
    const std::byte* in = x.bytes().data();
    std::byte* out = y.bytes().data();
    program.Run({&in, 1}, {&out, 1}).value();
    std::span<const float> values(reinterpret_cast<const float*>(in), x.size() / sizeof(float));
    bool passed = check.Check(values, Claim({y_type, y_layout, y.bytes()}), scratch).ok();
    if (!passed)
      std::printf("FALSE ALARM: x %s, weight %s\n", ShapeString(drawn.x).c_str(), ShapeString(drawn.weight).c_str());
    worst.columns += static_cast<int64_t>(check.tolerances(scratch).size());
    worst.ratio = std::max(worst.ratio, check.largest_ratio() * ModelOf(family).factor);
  }
}

void MeasureFamily(RoundingFamily family, int64_t columns, RandomSource& random) {
  for (Inputs inputs : {Inputs::kGaussian, Inputs::kRectified, Inputs::kBiased}) {
    Worst worst;
    while (worst.columns < columns) Measure(DrawCase(family, random), family, inputs, random, worst);
    std::printf("%-18s %-10s %9ld columns of 3 probes: largest %.2f, factor %.1f, margin %.2f\n", ModelOf(family).name,
                kInputNames[static_cast<size_t>(inputs)], static_cast<long>(worst.columns), worst.ratio,
                ModelOf(family).factor, ModelOf(family).factor / worst.ratio);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace soter

int main(int argc, char** argv) {
  int64_t columns = argc > 1 ? std::atoll(argv[1]) : 1'000'000;
  auto random = soter::MakeSeededRandom(2026);
  soter::MeasureFamily(soter::RoundingFamily::kDirect, columns, *random);
  soter::MeasureFamily(soter::RoundingFamily::kWinograd, columns, *random);
}
