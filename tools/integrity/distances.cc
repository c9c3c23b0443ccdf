#include <algorithm>
#include <cmath>
#include <set>

#include "common/graph/op_traits.h"
#include "tools/integrity/campaign.h"
#include "tools/integrity/networks.h"
#include "trusted/check/fingerprint.h"
#include "trusted/engine/profile.h"
#include "trusted/testing/networks.h"

namespace soter::integrity {
namespace {

constexpr size_t kCornerstones = 8, kFixed = 5, kRows = 120;  // 5 fixed fingerprints: what the paper's artefact has

double Distance(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
  return std::sqrt(sum);
}

// Each row takes part in one pair: distances that share a row would not be independent.
std::vector<double> PairDistances(const std::vector<std::vector<float>>& rows) {
  std::vector<double> distances;
  for (size_t i = 0; i + 1 < rows.size(); i += 2) distances.push_back(Distance(rows[i], rows[i + 1]));
  return distances;
}

std::vector<float> Copy(const Tensor& tensor) { return {tensor.As<float>().begin(), tensor.As<float>().end()}; }

DistanceSample Compare(const std::string& name, const Node& node, const Tensor& weight, const NodeProfile& profile,
                       RandomSource& random) {
  std::vector<Tensor> inputs, outputs;
  for (size_t i = 0; i < kCornerstones; ++i)
    inputs.push_back(profile.inputs[i]->Clone()), outputs.push_back(profile.outputs[i]->Clone());
  Fingerprint fingerprint(node, weight, nullptr, std::move(inputs), std::move(outputs));
  std::vector<std::vector<float>> real, oblivious, fixed, pool;
  Fingerprint::Combination drawn;
  for (size_t i = kCornerstones; i < profile.inputs.size(); ++i) real.push_back(Copy(*profile.inputs[i]));
  for (size_t i = 0; i < real.size() + kFixed; ++i) {
    std::vector<float> x(fingerprint.input_elements());
    fingerprint.Draw(random, x, drawn);
    (i < real.size() ? oblivious : pool).push_back(std::move(x));
  }
  for (size_t i = 0; i < real.size(); ++i) fixed.push_back(pool[random.NextBelow(kFixed)]);
  return {name, PairDistances(real), PairDistances(oblivious), PairDistances(fixed)};
}

}  // namespace

KsTest KolmogorovSmirnov(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return {};
  std::sort(a.begin(), a.end()), std::sort(b.begin(), b.end());
  double largest = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    double at = std::min(a[i], b[j]);
    while (i < a.size() && a[i] <= at) ++i;
    while (j < b.size() && b[j] <= at) ++j;
    largest = std::max(largest, std::abs(double(i) / double(a.size()) - double(j) / double(b.size())));
  }
  double size = std::sqrt(double(a.size()) * double(b.size()) / double(a.size() + b.size()));
  double lambda = (size + 0.12 + 0.11 / size) * largest, p = 0;
  for (int k = 1; k <= 100; ++k) p += (k % 2 ? 2 : -2) * std::exp(-2.0 * k * k * lambda * lambda);
  return {largest, lambda < 0.2 ? 1.0 : std::clamp(p, 0.0, 1.0)};
}

std::vector<DistanceSample> MeasureDistances(const CampaignOptions& options) {
  auto random = MakeSystemRandom();
  Say("distances between inputs of a small CNN");
  ValidatedGraph model = testing::WideCnn(1);
  std::vector<Shape> shapes = InputShapes(model.graph());
  Graph whole = std::move(model).Take();
  WeightStore weights = WeightStore::FromGraph(whole, WhenReleased::kKeepOutside);
  StaticGraph graph = Bind(ValidatedGraph::Validate(std::move(whole)).value(), shapes).value();
  std::vector<DistanceSample> samples;
  Status profiled = ProfileGraph(graph, weights, static_cast<int>(options.threads), kCornerstones + 2 * kRows, *random,
                                 [&](const NodeProfile& profile) -> Status {
    const Node& node = graph.graph().nodes[profile.node];
    if (!IsLinear(node.op)) return {};
    std::shared_ptr<const Tensor> weight = TRY(weights.Get(*graph.initializer(node.inputs[1])));
    std::string name = "linear operator " + std::to_string(samples.size() + 1) + ", " + ShapeString(profile.inputs[0]->shape());
    samples.push_back(Compare(name, node, *weight, profile, *random));
    return {};
  });
  if (!profiled.ok()) Say(profiled.error().message);
  return samples;
}

}  // namespace soter::integrity
