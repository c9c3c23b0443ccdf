#include "trusted/check/freivalds.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <numeric>

#include "common/compute/program.h"

namespace soter {
namespace {

Tensor Gaussian(Shape shape, RandomSource& random) {
  Tensor tensor = Tensor::Allocate({DType::kFloat32, std::move(shape)}).value();
  for (float& value : tensor.MutableAs<float>()) value = static_cast<float>(random.NextGaussian());
  return tensor;
}

// One linear operator, computed by the engine that also serves as the accelerator on a CPU, and its check.
class CheckedOperator {
 public:
  CheckedOperator(Op op, const Shape& x_shape, const Shape& weight_shape, int64_t bias_size, Layout x_layout,
                  Layout y_layout, uint64_t seed, int threads = 1, int probes = kFreivaldsProbes)
      : random_(MakeSeededRandom(seed)), weight_(Gaussian(weight_shape, *random_)) {
    if (bias_size > 0) bias_ = Gaussian({bias_size}, *random_);
    StaticGraph graph = BindOne(std::move(op), x_shape);
    node_ = graph.graph().nodes[0];
    x_type_ = graph.type(0), y_type_ = graph.type(graph.graph().outputs[0]);
    x_layout_ = x_layout, y_layout_ = y_layout;
    ProgramOptions options{.threads = 1, .input_layouts = {x_layout}, .output_layouts = {y_layout}};
    auto weights = [](const Initializer& i) -> Result<std::shared_ptr<const Tensor>> { return i.data; };
    Result<Program> program = Program::Compile(graph, weights, options);
    CHECK(program.ok(), program.error().message.c_str());
    program_.emplace(std::move(program).value());
    x_ = Buffer(LaidOutBytes(x_type_, x_layout).value()), y_ = Buffer(LaidOutBytes(y_type_, y_layout).value());
    LinearOperator linear{node_, x_type_, y_type_, x_layout, y_layout, weight_, bias_ ? &*bias_ : nullptr};
    family_ = FamilyOf(node_, wire::Arithmetic::kFloat32, control::WorkerKind::kCpu);
    freivalds_.emplace(Freivalds::Create(linear, family_, threads, *random_, probes));
    EXPECT_TRUE(scratch_.Reserve(freivalds_->scratch_bytes()).ok());
    Fill();
  }

  // Draws another x and computes the honest y.
  void Fill() {
    for (float& value : x()) value = static_cast<float>(random_->NextGaussian());
    Compute();
  }

  void Compute() {
    const std::byte* in = x_.bytes().data();
    std::byte* out = y_.bytes().data();
    ASSERT_TRUE(program_->Run({&in, 1}, {&out, 1}).ok());
  }

  Result<Verified<PrivateTensor>> Check() {
    return freivalds_->Check(x(), Claim({y_type_, y_layout_, y_.bytes()}), scratch_);
  }
  bool Passes() {
    Result<Verified<PrivateTensor>> result = Check();
    EXPECT_TRUE(result.ok() || result.error().code == ErrorCode::kIntegrity);
    return result.ok();
  }

  std::span<float> x() { return {reinterpret_cast<float*>(x_.bytes().data()), x_.size() / sizeof(float)}; }
  std::span<float> y() { return {reinterpret_cast<float*>(y_.bytes().data()), y_.size() / sizeof(float)}; }

  std::unique_ptr<RandomSource> random_;
  Tensor weight_;
  std::optional<Tensor> bias_;
  Node node_;
  TensorType x_type_, y_type_;
  Layout x_layout_, y_layout_;
  RoundingFamily family_;
  Buffer x_, y_;
  std::optional<Program> program_;
  std::optional<Freivalds> freivalds_;
  FreivaldsScratch scratch_;

 private:
  StaticGraph BindOne(Op op, const Shape& x_shape) {
    Graph graph;
    ValueId x = graph.AddValue("x"), weight = graph.AddValue("w"), bias = graph.AddValue("b"), y = graph.AddValue("y");
    std::vector<Dim> dims;
    for (int64_t extent : x_shape) dims.push_back(Dim::Constant(extent));
    graph.inputs.push_back({x, DType::kFloat32, dims});
    graph.initializers.push_back({weight, weight_.type(), std::make_shared<const Tensor>(weight_.Clone())});
    std::vector<ValueId> operands = {x, weight};
    if (bias_) {
      graph.initializers.push_back({bias, bias_->type(), std::make_shared<const Tensor>(bias_->Clone())});
      operands.push_back(bias);
    }
    graph.nodes.push_back({"linear", std::move(op), operands, {y}});
    graph.outputs.push_back(y);
    Result<ValidatedGraph> valid = ValidatedGraph::Validate(std::move(graph));
    CHECK(valid.ok(), valid.error().message.c_str());
    Result<StaticGraph> bound = Bind(*valid, std::span(&x_shape, 1));
    CHECK(bound.ok(), bound.error().message.c_str());
    return std::move(bound).value();
  }
};

Window WindowOf(Shape kernel, Shape strides, Shape dilations, Shape begin, Shape end) {
  return {std::move(kernel), std::move(strides), std::move(dilations), std::move(begin), std::move(end)};
}

CheckedOperator Convolution(Layout x_layout = Layout::kNChw16c, Layout y_layout = Layout::kNChw16c, int threads = 1) {
  return CheckedOperator(Conv{.window = WindowOf({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1})}, {2, 32, 11, 13},
                         {48, 32, 3, 3}, 48, x_layout, y_layout, 5, threads);
}

// A random convolution of 1 to 3 axes, in every way odd.
struct DrawnConvolution {
  Shape x, weight;
  Window window;
  int64_t groups, outputs;
};

DrawnConvolution DrawConvolution(RandomSource& random, bool transposed, bool blocked) {
  auto below = [&](uint64_t bound) { return static_cast<int64_t>(random.NextBelow(bound)); };
  DrawnConvolution drawn;
  size_t rank = blocked ? 2 : static_cast<size_t>(1 + below(3));
  drawn.groups = 1 + below(3);
  int64_t in = blocked ? 16 : 1 + below(11), out = blocked ? 16 : 1 + below(11);
  drawn.outputs = out * drawn.groups;
  drawn.x = {1 + below(3), in * drawn.groups};
  drawn.weight = transposed ? Shape{in * drawn.groups, out} : Shape{drawn.outputs, in};
  for (size_t i = 0; i < rank; ++i) {
    int64_t kernel = 1 + below(4), dilation = 1 + below(2), reach = (kernel - 1) * dilation + 1;
    drawn.window.kernel.push_back(kernel), drawn.window.dilations.push_back(dilation);
    drawn.window.strides.push_back(1 + below(3));
    drawn.window.pads_begin.push_back(below(static_cast<uint64_t>(reach)));
    drawn.window.pads_end.push_back(below(static_cast<uint64_t>(reach)));
    drawn.x.push_back(reach + below(rank == 1 ? 40 : 9)), drawn.weight.push_back(kernel);
  }
  return drawn;
}

CheckedOperator MakeDrawn(const DrawnConvolution& drawn, bool transposed, Layout layout, uint64_t seed, int threads) {
  Op op;
  Shape padding;
  for (int64_t stride : drawn.window.strides) padding.push_back(seed % 3 == 0 ? stride - 1 : 0);
  if (transposed) op = ConvTranspose{.window = drawn.window, .output_padding = padding, .groups = drawn.groups};
  else op = Conv{.window = drawn.window, .groups = drawn.groups};
  return CheckedOperator(std::move(op), drawn.x, drawn.weight, seed % 2 ? drawn.outputs : 0, layout, layout, seed, threads);
}

// Honest results pass, and any one wrong element fails, for every shape.
void ExpectSound(CheckedOperator& op, const std::string& what) {
  EXPECT_TRUE(op.Passes()) << what;
  EXPECT_LT(op.freivalds_->largest_ratio(), 0.9) << what;
  uint64_t at = op.random_->NextBelow(op.y().size());
  op.y()[at] += 0.01f * (1 + std::abs(op.y()[at]));
  EXPECT_FALSE(op.Passes()) << what << ", element " << at;
}

class Convolutions : public ::testing::TestWithParam<std::tuple<bool, Layout>> {};

TEST_P(Convolutions, OfRandomShapesAreCheckedSoundly) {
  auto [transposed, layout] = GetParam();
  auto shapes = MakeSeededRandom(17);
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    DrawnConvolution drawn = DrawConvolution(*shapes, transposed, layout != Layout::kDense);
    if (transposed)  // pads must not eat the whole output
      drawn.window.pads_begin.assign(drawn.window.kernel.size(), 0), drawn.window.pads_end = drawn.window.pads_begin;
    CheckedOperator op = MakeDrawn(drawn, transposed, layout, seed, 1 + static_cast<int>(seed % 2));
    ExpectSound(op, "seed " + std::to_string(seed) + ", x " + ShapeString(drawn.x) + ", weight " + ShapeString(drawn.weight));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Convolutions,
                         ::testing::Combine(::testing::Bool(),
                                            ::testing::Values(Layout::kDense, Layout::kNhwc, Layout::kNChw16c)));

TEST(Freivalds, LinearOfOddShapesIsCheckedSoundly) {
  auto shapes = MakeSeededRandom(23);
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    int64_t rows = 1 + static_cast<int64_t>(shapes->NextBelow(40)), k = 1 + static_cast<int64_t>(shapes->NextBelow(300));
    int64_t n = 1 + static_cast<int64_t>(shapes->NextBelow(90));
    CheckedOperator op(Linear{}, {rows, k}, {n, k}, seed % 2 ? n : 0, Layout::kDense, Layout::kDense, seed);
    ExpectSound(op, ShapeString({rows, k, n}));
  }
}

TEST(Freivalds, TheProbesMayBeOneTwoOrThree) {
  for (int probes = 1; probes <= 3; ++probes) {
    CheckedOperator op(Conv{.window = WindowOf({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1})}, {1, 20, 9, 9}, {24, 20, 3, 3},
                       24, Layout::kDense, Layout::kDense, 3, 1, probes);
    ExpectSound(op, std::to_string(probes) + " probes");
  }
}

TEST(Freivalds, MixedLayoutsGiveTheSameVerdict) {
  for (Layout x : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c})
    for (Layout y : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c}) {
      CheckedOperator op = Convolution(x, y, 2);
      ExpectSound(op, std::string(LayoutName(x)) + " to " + LayoutName(y));
    }
}

TEST(Freivalds, ResultsThatAreBiasedOrLargelyCancelPass) {
  CheckedOperator positive = Convolution();
  for (float& value : positive.x()) value = std::abs(value) + 3.0f;
  positive.Compute();
  EXPECT_TRUE(positive.Passes());
  for (float& value : positive.x()) value *= 1e-38f;  // products underflow
  positive.Compute();
  EXPECT_TRUE(positive.Passes());
}

TEST(Freivalds, AllZerosPassAndAnythingBesideThemFails) {
  CheckedOperator op(Linear{}, {3, 64}, {32, 64}, 0, Layout::kDense, Layout::kDense, 4);
  std::fill(op.x().begin(), op.x().end(), 0.0f);
  op.Compute();
  EXPECT_TRUE(op.Passes());
  op.y()[40] = 1e-20f;
  EXPECT_FALSE(op.Passes());
}

TEST(Freivalds, ValuesInOneCornerLeaveHonestNeighboursWithinTheirTolerance) {
  CheckedOperator op = Convolution();
  for (float& value : op.x()) value *= 1e-12f;
  for (size_t i = 0; i < 16; ++i) op.x()[i] = 1e6f;  // Winograd's rounding errors reach the rest of the tile
  op.Compute();
  EXPECT_TRUE(op.Passes());
}

TEST(Freivalds, NothingAtAllPasses) {
  CheckedOperator rows(Linear{}, {0, 64}, {32, 64}, 0, Layout::kDense, Layout::kDense, 4);
  EXPECT_TRUE(rows.Passes());
  CheckedOperator images(Conv{.window = WindowOf({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1})}, {0, 16, 8, 8}, {16, 16, 3, 3}, 0,
                         Layout::kNChw16c, Layout::kNChw16c, 4);
  EXPECT_TRUE(images.Passes());
}

// The tolerance of a Winograd tile looks at its neighbours: blowing up one of them must not let the tile pass.
TEST(Freivalds, InflatingANeighbourRaisesATolerancePastItsOwnFailure) {
  CheckedOperator op = Convolution();
  for (int run = 0; run < 20; ++run) {
    op.Fill();
    op.y()[0] += 1e-3f;
    for (size_t i = 16 * 4; i < 16 * 8; ++i) op.y()[i] *= 1e6f;  // the tile to its right
    EXPECT_FALSE(op.Passes());
  }
}

TEST(Freivalds, ErrorsThatCancelWithinAColumnAreCaught) {
  CheckedOperator op = Convolution();
  for (int run = 0; run < 20; ++run) {
    op.Fill();
    op.y()[5] += 0.05f, op.y()[6] -= 0.05f;    // two channels of a position
    EXPECT_FALSE(op.Passes());
    op.Fill();
    op.y()[5] += 0.05f, op.y()[5 + 16] -= 0.05f;  // two positions of a tile
    EXPECT_FALSE(op.Passes());
  }
}

TEST(Freivalds, ColumnsBeyondTheRangeOfSquaresFailAndTinyOnesPass) {
  CheckedOperator op(Linear{}, {3, 64}, {32, 64}, 0, Layout::kDense, Layout::kDense, 4);
  for (float scale : {1e-36f, 1e-28f, 1e-22f, 1e-18f, 1e-10f, 1e10f, 1e15f}) {
    op.Fill();
    for (float& value : op.x()) value *= scale;
    op.Compute();
    EXPECT_TRUE(op.Passes()) << scale;
  }
  op.Fill();
  for (float& value : op.x()) value *= 1e25f;
  op.Compute();
  EXPECT_FALSE(op.Passes());
}

TEST(Freivalds, WrongWeightsAreCaughtWhereverTheyMatter) {
  CheckedOperator op(Linear{}, {2, 64}, {32, 64}, 0, Layout::kDense, Layout::kDense, 4);
  std::fill(op.x().begin(), op.x().begin() + 64, 0.0f);  // a row of zeros hides any weight; the result is right there
  op.Compute();
  EXPECT_TRUE(op.Passes());
  op.y()[3] = op.weight_.As<float>()[5];  // what no weight can make of zeros
  EXPECT_FALSE(op.Passes());
}

// What an accelerator may answer instead of the truth.
struct Tampering {
  const char* name;
  std::function<void(std::span<float> y, std::span<const float> stale)> apply;
};

const Tampering kTamperings[] = {
    {"OneElement", [](auto y, auto) { y[7] += 1e-2f; }},
    {"OneBit", [](auto y, auto) {  // the lowest bit of the exponent
       uint32_t bits;
       std::memcpy(&bits, &y[100], 4);
       bits ^= 1u << 23;
       std::memcpy(&y[100], &bits, 4);
     }},
    {"OneChannel", [](auto y, auto) { for (size_t i = 3; i < y.size(); i += 16) y[i] *= 1.001f; }},
    {"Scale", [](auto y, auto) { for (float& v : y) v *= 1.0005f; }},
    {"Negate", [](auto y, auto) { for (float& v : y) v = -v; }},
    {"Swap", [](auto y, auto) { std::swap(y[0], y[33]); }},
    {"SwapPositions", [](auto y, auto) { std::swap_ranges(y.begin(), y.begin() + 16, y.begin() + 16); }},
    {"Stale", [](auto y, auto stale) { std::copy(stale.begin(), stale.end(), y.begin()); }},
    {"Zero", [](auto y, auto) { std::fill(y.begin(), y.end(), 0.0f); }},
    {"LowRank", [](auto y, auto) {
       for (size_t i = 0; i < y.size(); ++i) y[i] += 0.01f * std::sin(static_cast<float>(i % 16));
     }},
    {"NaN", [](auto y, auto) { y[9] = std::nanf(""); }},
    {"Infinity", [](auto y, auto) { y[9] = INFINITY; }},
    {"NegativeInfinity", [](auto y, auto) { y[9] = -INFINITY; }},
    {"EveryElementInfinite", [](auto y, auto) { std::fill(y.begin(), y.end(), INFINITY); }},
    {"Huge", [](auto y, auto) { std::fill(y.begin(), y.end(), 3e38f); }},
};

class Tamperings : public ::testing::TestWithParam<Tampering> {};

TEST_P(Tamperings, AreCaughtInEveryLayout) {
  for (Layout layout : {Layout::kDense, Layout::kNhwc, Layout::kNChw16c}) {
    CheckedOperator op = Convolution(Layout::kDense, layout);
    std::vector<float> stale(op.y().begin(), op.y().end());
    op.Fill();
    EXPECT_TRUE(op.Passes());
    GetParam().apply(op.y(), stale);
    EXPECT_FALSE(op.Passes()) << LayoutName(layout);
    EXPECT_EQ(op.Check().error().message, kWrongResult);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Tamperings, ::testing::ValuesIn(kTamperings),
                         [](const auto& param) { return param.param.name; });

// The price of floating point: what is below the tolerance passes, whatever it is (docs/spec/integrity.md).
TEST(Freivalds, TamperingBelowTheToleranceMostlyPasses) {
  CheckedOperator op(Linear{}, {1, 400}, {100, 400}, 0, Layout::kDense, Layout::kDense, 8);
  ASSERT_TRUE(op.Passes());
  double tau = op.freivalds_->tolerances(op.scratch_)[0];
  float honest = op.y()[50];
  int passed = 0;
  for (int i = 0; i < 100; ++i) {
    op.y()[50] = honest + static_cast<float>(tau / 10 * (i % 2 ? 1 : -1));
    passed += op.Passes();
  }
  EXPECT_EQ(passed, 100);  // 10 standard deviations of either probe
}

// With fresh probes each time, a tampering of length d passes at most as often as the bound says.
TEST(Freivalds, DetectionKeepsTheBound) {
  constexpr int kTrials = 4000;
  for (int probes = 1; probes <= 2; ++probes)
    for (double size : {1.0, 2.0, 5.0, 20.0}) {
      int passed = 0;
      for (int i = 0; i < kTrials; ++i) {
        CheckedOperator op(Linear{}, {1, 24}, {8, 24}, 0, Layout::kDense, Layout::kDense, static_cast<uint64_t>(i) + 1,
                           1, probes);
        ASSERT_TRUE(op.Passes());
        double tau = op.freivalds_->tolerances(op.scratch_)[0];
        op.y()[3] += static_cast<float>(size * tau);
        passed += op.Passes();
      }
      double bound = std::min(1.0, std::pow(0.8 / size, probes));
      double deviation = std::sqrt(bound * (1 - bound) / kTrials);
      EXPECT_LE(passed, kTrials * (bound + 4 * deviation) + 1) << size << " tau, " << probes << " probes";
      RecordProperty("passed_" + std::to_string(probes) + "_" + std::to_string(static_cast<int>(size)), passed);
      if (size == 1.0) {
        EXPECT_GT(passed, kTrials * bound / 2);  // the bound is not idle
      }
    }
}

TEST(Freivalds, ARedrawUsesOtherProbesUntilNoneAreLeft) {
  CheckedOperator op = Convolution();
  ASSERT_TRUE(op.Passes());
  double first = op.freivalds_->largest_ratio();
  for (int i = 1; i < kMaxCheckFailures; ++i) {
    op.freivalds_->Redraw();
    EXPECT_TRUE(op.Passes());
    EXPECT_NE(op.freivalds_->largest_ratio(), first);
  }
  EXPECT_DEATH(op.freivalds_->Redraw(), "given up");
}

TEST(Freivalds, AnotherShapeOrLayoutIsMalformed) {
  CheckedOperator op = Convolution();
  PrivateTensor answer{op.y_type_, Layout::kNhwc, op.y_.bytes()};
  EXPECT_EQ(op.freivalds_->Check(op.x(), Claim(answer), op.scratch_).error().code, ErrorCode::kMalformed);
  answer = {{DType::kFloat32, {1, 48, 11, 13}}, Layout::kNChw16c, op.y_.bytes()};
  EXPECT_EQ(op.freivalds_->Check(op.x(), Claim(answer), op.scratch_).error().code, ErrorCode::kMalformed);
}

TEST(Freivalds, PaddingThatNobodyWouldCheckIsRefused) {
  EXPECT_DEATH(CheckedOperator(Conv{.window = WindowOf({1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0})}, {1, 3, 5, 5},
                               {16, 3, 1, 1}, 0, Layout::kNChw16c, Layout::kNChw16c, 1), "padding is not checked");
}

TEST(FamilyOf, FollowsFromTheOperatorAndFromWhatWasAskedOfWhom) {
  using enum wire::Arithmetic;
  using control::WorkerKind;
  Node node{"", Conv{.window = WindowOf({3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1})}, {}, {}};
  EXPECT_EQ(FamilyOf(node, kFloat32, WorkerKind::kCpu), RoundingFamily::kWinograd);
  EXPECT_EQ(FamilyOf(node, kFloat32, WorkerKind::kGpu), RoundingFamily::kGpuFp32);
  EXPECT_EQ(FamilyOf(node, kFloat64, WorkerKind::kGpu), RoundingFamily::kGpuFp32);
  for (WorkerKind worker : {WorkerKind::kCpu, WorkerKind::kGpu}) {
    EXPECT_EQ(FamilyOf(node, kTf32, worker), RoundingFamily::kTf32);
    EXPECT_EQ(FamilyOf(node, kFloat16, worker), RoundingFamily::kFloat16);
  }
  std::get<Conv>(node.op).window.strides = {2, 2};
  EXPECT_EQ(FamilyOf(node, kFloat32, WorkerKind::kCpu), RoundingFamily::kDirect);
  EXPECT_EQ(FamilyOf({"", Linear{}, {}, {}}, kFloat32, WorkerKind::kCpu), RoundingFamily::kDirect);
}

}  // namespace
}  // namespace soter
