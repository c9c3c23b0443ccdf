#include <algorithm>
#include <cmath>

#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/check/freivalds.h"
#include "trusted/engine/profile.h"
#include "trusted/plan/placement.h"

// The smallest change of a single element that each check catches with 99%, and what it would do to the answer.
namespace soter::integrity {
namespace {

constexpr double kCaught = 8;    // tolerances: (0.8 / 8)^2 is 1%
constexpr double kUnseen = 0.25;  // tolerances: nearly always passes

struct CheckedResult {
  double tolerance, rms, largest;  // the median column's tolerance; of the result's elements
  size_t elements;
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

Result<CheckedResult> Check(const StaticGraph& graph, const NodeProfile& profile, const WeightStore& weights, int threads,
                            RandomSource& random) {
  const Node& node = graph.graph().nodes[profile.node];
  std::shared_ptr<const Tensor> weight = TRY(weights.Get(*graph.initializer(node.inputs[1]))), bias;
  if (node.inputs.size() > 2 && node.inputs[2] != kNoValue) bias = TRY(weights.Get(*graph.initializer(node.inputs[2])));
  const Tensor& x = *profile.inputs[0];
  Tensor y = profile.outputs[0]->Clone();
  Freivalds check = Freivalds::Create({node, x.type(), y.type(), Layout::kDense, Layout::kDense, *weight, bias.get()},
                                      FamilyOf(node, wire::Arithmetic::kFloat32, control::WorkerKind::kCpu), threads, random);
  FreivaldsScratch scratch;
  TRY(scratch.Reserve(check.scratch_bytes()));
  TRY(check.Check(x.As<float>(), Claim({y.type(), Layout::kDense, y.mutable_bytes()}), scratch));
  std::span<const double> tolerances = check.tolerances(scratch);
  CheckedResult result{Median({tolerances.begin(), tolerances.end()}), 0, 0, y.As<float>().size()};
  for (float value : y.As<float>()) {
    result.rms += double{value} * value / static_cast<double>(result.elements);
    result.largest = std::max(result.largest, std::abs(double{value}));
  }
  result.rms = std::sqrt(result.rms);
  return result;
}

// Adds a number to one element of the result that comes in as number `index`.
class OneElementLiar : public hostile::Liar {
 public:
  OneElementLiar() : Liar(kNothing, {}) {}
  void BeforeOutput(const AnswerPlace&, std::span<std::byte> output) override {
    auto* y = reinterpret_cast<float*>(output.data());
    const size_t count = output.size() / sizeof(float);
    if (seen++ == index && count > 0) y[Below(count)] += amount;
  }
  size_t seen = 0, index = SIZE_MAX;
  float amount = 0;

 private:
  static constexpr hostile::Bug kNothing{};
};

// The largest change of an output, and the distance between its two largest values.
std::pair<double, double> ChangeAndMargin(const Tensor& honest, const Tensor& got) {
  double change = 0, first = -INFINITY, second = -INFINITY;
  const auto classes = static_cast<size_t>(honest.shape().back());
  for (size_t i = 0; i < classes; ++i) {
    double value = honest.As<float>()[i];
    change = std::max(change, std::abs(double{got.As<float>()[i]} - value));
    if (value > first) second = std::exchange(first, value);
    else second = std::max(second, value);
  }
  return {change, first - second};
}

class Network {
 public:
  Network(const std::string& name, const CampaignOptions& options) : options_(options), random_(MakeSeededRandom(options.seed)) {
    row.model = name;
  }

  Status Measure() {
    TRY(FindTolerances());
    return FindEffects();
  }

  SensitivityRow row;

 private:
  Status FindTolerances() {
    ValidatedGraph model = TRY(ZooModel(row.model));
    std::vector<Shape> shapes = InputShapes(model.graph());
    Graph whole = std::move(model).Take();
    WeightStore weights = WeightStore::FromGraph(whole, WhenReleased::kKeepOutside);
    StaticGraph graph = TRY(Bind(TRY(ValidatedGraph::Validate(std::move(whole))), shapes));
    Placement placement = PlaceVerified(graph);
    const int threads = static_cast<int>(options_.threads);
    TRY(ProfileGraph(graph, weights, threads, 1, *random_, [&](const NodeProfile& profile) -> Status {
      if (!placement[profile.node].checked || Stopped()) return {};
      results_.push_back(TRY(Check(graph, profile, weights, threads, *random_)));
      return {};
    }));
    std::vector<double> of_rms;
    for (const CheckedResult& result : results_) {
      double size = kCaught * result.tolerance / result.rms;
      of_rms.push_back(size);
      row.largest_of_rms = std::max(row.largest_of_rms, size);
      row.largest_of_largest = std::max(row.largest_of_largest, kCaught * result.tolerance / result.largest);
    }
    row.operators = results_.size(), row.median_of_rms = Median(of_rms);
    return {};
  }

  // Tampers with each result unseen, and scales what comes of it to the size that is caught with 99%.
  Status FindEffects() {
    OneElementLiar liar;
    control::Settings settings{.scheme = control::Scheme::kVerified, .check = control::Check::kFreivalds,
                               .threads = options_.threads};
    settings.timeout_ms = 600'000;
    ValidatedGraph model = TRY(ZooModel(row.model));
    const Graph graph{.value_names = model.graph().value_names, .inputs = model.graph().inputs};
    auto session = TRY(LyingSession::Create(std::move(model), settings, &liar));
    std::vector<Tensor> inputs = RandomInputs(graph, *random_);
    Tensor honest = TRY(session->Run(inputs)).outputs.at(0).tensor.Clone();
    for (size_t i = 0; i < results_.size() && !Stopped(); ++i) {
      liar.seen = 0, liar.index = i, liar.amount = static_cast<float>(kUnseen * results_[i].tolerance);
      Result<control::RunReport> report = session->Run(inputs);
      if (!report.ok()) {  // a column of much less than the median's tolerance; three of these and the worker is given up
        session = TRY(LyingSession::Create(TRY(ZooModel(row.model)), settings, &liar));
        continue;
      }
      auto [change, margin] = ChangeAndMargin(honest, report->outputs.at(0).tensor);
      row.largest_of_margin = std::max(row.largest_of_margin, change * kCaught / kUnseen / margin);
      ++row.effects;
    }
    return {};
  }

  const CampaignOptions& options_;
  std::unique_ptr<RandomSource> random_;
  std::vector<CheckedResult> results_;
};

}  // namespace

std::vector<SensitivityRow> MeasureSensitivity(const CampaignOptions& options) {
  std::vector<SensitivityRow> rows;
  for (const std::string& model : options.models) {
    if (Stopped()) break;
    Say("smallest tampering: " + model);
    Network network(model, options);
    Status measured = network.Measure();
    if (!measured.ok()) Say(measured.error().message);
    rows.push_back(network.row);
  }
  return rows;
}

}  // namespace soter::integrity
