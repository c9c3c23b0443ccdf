#include "tools/integrity/honest_operator.h"

#include <algorithm>

namespace soter::integrity {
namespace {

constexpr int kThreads = 2;

// Gaussian values from a pool, in pieces from random places: drawing each afresh would take most of the time.
class GaussianPool {
 public:
  explicit GaussianPool(RandomSource& random) : pool_(size_t{1} << 20) {
    for (double& value : pool_) value = random.NextGaussian();
  }
  double Next(RandomSource& random) {
    if (left_ == 0) left_ = 1 + random.NextBelow(1000), at_ = random.NextBelow(pool_.size() - left_);
    --left_;
    return pool_[at_++];
  }

 private:
  std::vector<double> pool_;
  uint64_t left_ = 0, at_ = 0;
};

void Fill(std::span<float> values, Inputs inputs, RandomSource& random) {
  static GaussianPool pool(random);
  for (float& value : values) {
    double gaussian = pool.Next(random);
    if (inputs == Inputs::kRectified) gaussian = std::max(gaussian, 0.0);
    if (inputs == Inputs::kBiased) gaussian = 0.25 * gaussian + 1.0;
    value = static_cast<float>(gaussian);
  }
}

Tensor Draw(const Shape& shape, Inputs inputs, RandomSource& random) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, shape}).value();
  Fill(tensor.MutableAs<float>(), inputs, random);
  return tensor;
}

StaticGraph BindOne(const OperatorCase& drawn, const Tensor& weight, const Tensor& bias) {
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

}  // namespace

OperatorCase ConvCase(int64_t in, int64_t out, int64_t kernel, int64_t size, int64_t stride) {
  Conv conv{.window = {{kernel, kernel}, {stride, stride}, {1, 1}, {kernel / 2, kernel / 2}, {kernel / 2, kernel / 2}}};
  std::string name = "conv " + std::to_string(kernel) + "x" + std::to_string(kernel) + " " + std::to_string(in) + " to " +
                     std::to_string(out) + " on " + std::to_string(size) + "x" + std::to_string(size);
  return {name, conv, {1, in, size, size}, {out, in, kernel, kernel}};
}

OperatorCase LinearCase(int64_t rows, int64_t in, int64_t out) {
  return {"linear " + std::to_string(in) + " to " + std::to_string(out) + ", " + std::to_string(rows) + " rows", Linear{},
          {rows, in}, {out, in}};
}

HonestOperator::HonestOperator(const OperatorCase& drawn, Inputs inputs, bool dense, RandomSource& random)
    : case_(drawn), inputs_(inputs), random_(random),
      weight_(Draw(drawn.weight, inputs == Inputs::kBiased ? Inputs::kBiased : Inputs::kGaussian, random)),
      bias_(Draw({drawn.weight[0]}, Inputs::kGaussian, random)) {
  StaticGraph graph = BindOne(drawn, weight_, bias_);
  node_ = graph.graph().nodes[0];
  x_type_ = graph.type(0), y_type_ = graph.type(graph.graph().outputs[0]);
  auto source = [](const Initializer& i) -> Result<std::shared_ptr<const Tensor>> { return i.data; };
  ProgramOptions options{.threads = kThreads, .tuning = Tuning::kMeasured};
  if (!dense) {
    Program probe = Program::Compile(graph, source, options).value();
    x_layout_ = probe.PreferredInputLayouts()[0], y_layout_ = probe.PreferredOutputLayouts()[0];
  }
  options.input_layouts = {x_layout_}, options.output_layouts = {y_layout_};
  program_.emplace(Program::Compile(graph, source, options).value());
  x_ = Buffer(LaidOutBytes(x_type_, x_layout_).value()), y_ = Buffer(LaidOutBytes(y_type_, y_layout_).value());
}

void HonestOperator::Fill() {
  integrity::Fill(x(), inputs_, random_);
  const std::byte* in = x_.bytes().data();
  std::byte* out = y_.bytes().data();
  CHECK(program_->Run({&in, 1}, {&out, 1}).ok(), "an operator that was compiled runs");
}

Freivalds HonestOperator::MakeCheck(RandomSource& random, int probes) const {
  return Freivalds::Create({node_, x_type_, y_type_, x_layout_, y_layout_, weight_, &bias_}, family(), kThreads, random, probes);
}

Result<Verified<PrivateTensor>> HonestOperator::Check(Freivalds& check, FreivaldsScratch& scratch) {
  TRY(scratch.Reserve(check.scratch_bytes()));
  return check.Check(x(), Claim({y_type_, y_layout_, y_.bytes()}), scratch);
}

}  // namespace soter::integrity
