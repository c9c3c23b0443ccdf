#include <cmath>

#include "audit/attacks/evaluator.h"
#include "audit/controls/masks.h"
#include "audit/linear/draw.h"

namespace soter::audit {
namespace {

constexpr double kPadAmplitude = 64;  // in deviations of the activation

Tensor FromMatrix(const Shape& shape, const Matrix& matrix) {
  std::vector<float> values = matrix.ToFloats();
  return Tensor::FromValues<float>(shape, std::span<const float>(values));
}

// Segment is one operator under its hidden weight, without a bias: that is added in the enclave.
Result<StaticGraph> Segment(const StaticGraph& truth, const Layer& layer, const Matrix& hidden) {
  const Node& node = truth.graph().nodes[layer.node];
  Graph graph;
  ValueId x = graph.AddValue("x"), w = graph.AddValue(""), y = graph.AddValue("y");
  const TensorType& type = truth.type(node.inputs[0]);
  GraphInput input{x, type.dtype, {}};
  for (int64_t extent : type.shape) input.shape.push_back(Dim::Constant(extent));
  graph.inputs.push_back(input);
  graph.outputs.push_back(y);
  graph.initializers.push_back({w, {DType::kFloat32, layer.shape},
                                std::make_shared<const Tensor>(FromMatrix(layer.shape, hidden))});
  graph.nodes.push_back({"", node.op, {x, w}, {y}});
  std::vector<Shape> shapes = {type.shape};
  return Bind(TRY(ValidatedGraph::Validate(std::move(graph))), shapes);
}

std::vector<float> PadFor(const Tensor& x, uint64_t seed) {
  std::span<const float> values = x.As<float>();
  double power = 0;
  for (float value : values) power += value * value;
  double deviation = std::sqrt(power / static_cast<double>(values.size()) + 1e-12);
  return Draw(seed).Gaussian(1, values.size(), kPadAmplitude * deviation).ToFloats();
}

Result<Values> AllValues(const StaticGraph& truth, const Tensor& query) {
  std::vector<size_t> nodes;
  for (size_t i = 0; i < truth.graph().nodes.size(); ++i) nodes.push_back(i);
  ValueId input = truth.graph().inputs.front().value;
  Evaluator evaluator = TRY(Evaluator::Make(truth, nodes, std::span(&input, 1)));
  Values values;
  values.emplace(input, query.Clone());
  Values all = TRY(evaluator.Run(values));
  all.merge(values);
  return all;
}

// AddRuns adds what crossed for one query: each operator's input, padded or not, and what the accelerator made of it.
Status AddRuns(const StaticGraph& truth, std::span<const Layer> layers, const Values& values,
               std::vector<std::vector<float>>& pads, uint64_t seed, bool padded, View& view) {
  for (size_t i = 0; i < layers.size(); ++i) {
    Tensor x = values.at(truth.graph().nodes[layers[i].node].inputs[0]).Clone();
    if (padded) {
      if (pads[i].empty()) pads[i] = PadFor(x, seed + i);
      for (size_t j = 0; j < pads[i].size(); ++j) x.MutableAs<float>()[j] += pads[i][j];
    }
    const StaticGraph& graph = view.segments[i].graph;
    std::vector<size_t> node = {0};
    ValueId input = graph.graph().inputs.front().value;
    Evaluator evaluator = TRY(Evaluator::Make(graph, node, std::span(&input, 1)));
    Values given;
    given.emplace(input, x.Clone());
    Values made = TRY(evaluator.Run(given));
    SeenRun run{.segment = i};
    run.inputs.push_back(std::move(x));
    run.outputs.push_back(std::move(made.begin()->second));
    view.runs.push_back(std::move(run));
  }
  return {};
}

}  // namespace

Result<std::vector<View>> MaskedViews(const StaticGraph& truth, const ControlMask& mask, std::span<const Tensor> queries,
                                      uint64_t seed) {
  std::vector<Layer> layers = LinearLayers(truth);
  std::vector<View> loads(mask.loads);
  for (size_t load = 0; load < mask.loads; ++load)
    for (size_t i = 0; i < layers.size(); ++i) {
      uint64_t drawn = seed + 1000 * (i + 1) + (mask.redrawn ? 1000000 * load : 0);
      loads[load].segments.push_back({TRY(Segment(truth, layers[i], mask.hide(layers[i], drawn)))});
    }
  std::vector<std::vector<float>> pads(layers.size());
  for (const Tensor& query : queries) {
    Values values = TRY(AllValues(truth, query));
    OwnQuery own;
    own.inputs.push_back(query.Clone());
    own.outputs.push_back(values.at(truth.graph().outputs.front()).Clone());
    loads.front().queries.push_back(std::move(own));
    TRY(AddRuns(truth, layers, values, pads, seed, mask.reused_pad, loads.front()));
  }
  return loads;
}

}  // namespace soter::audit
