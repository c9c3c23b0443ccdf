#include "audit/view/layer.h"

#include <algorithm>

#include "common/graph/op_traits.h"

namespace soter::audit {
namespace {

std::vector<double> BiasOf(const StaticGraph& graph, const Node& node) {
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return {};
  const Initializer* bias = graph.initializer(node.inputs[2]);
  if (bias == nullptr || bias->data == nullptr) return {};
  std::span<const float> values = bias->data->As<float>();
  return {values.begin(), values.end()};
}

// Geometry is a two-dimensional convolution's sizes.
struct Geometry {
  int64_t n, c, h, w, kh, kw, oh, ow;
};

Result<Geometry> GeometryOf(const StaticGraph& graph, const Layer& layer, const Tensor& x) {
  const Node& node = graph.graph().nodes[layer.node];
  const Conv* conv = std::get_if<Conv>(&node.op);
  if (conv == nullptr || conv->groups != 1 || conv->window.kernel.size() != 2)
    return Unsupported("operator '" + layer.name + "': only plain two-dimensional convolutions are unfolded");
  const Shape& s = x.shape();
  const Window& window = conv->window;
  auto extent = [&](size_t i) {
    int64_t reach = window.dilations[i] * (window.kernel[i] - 1) + 1;
    return (s[2 + i] + window.pads_begin[i] + window.pads_end[i] - reach) / window.strides[i] + 1;
  };
  return Geometry{s[0], s[1], s[2], s[3], window.kernel[0], window.kernel[1], extent(0), extent(1)};
}

// FillPatch copies the patch under output position (n, oy, ox) into `row`, channel by channel; zeros beyond the edge.
void FillPatch(const Geometry& g, const Window& window, std::span<const float> x, int64_t n, int64_t oy, int64_t ox,
               std::span<double> row) {
  size_t at = 0;
  for (int64_t c = 0; c < g.c; ++c)
    for (int64_t i = 0; i < g.kh; ++i)
      for (int64_t j = 0; j < g.kw; ++j, ++at) {
        int64_t y = oy * window.strides[0] - window.pads_begin[0] + i * window.dilations[0];
        int64_t z = ox * window.strides[1] - window.pads_begin[1] + j * window.dilations[1];
        bool inside = y >= 0 && y < g.h && z >= 0 && z < g.w;
        row[at] = inside ? x[static_cast<size_t>(((n * g.c + c) * g.h + y) * g.w + z)] : 0;
      }
}

std::shared_ptr<const Tensor> Share(const Shape& shape, const std::vector<float>& values) {
  return std::make_shared<const Tensor>(Tensor::FromValues<float>(shape, std::span<const float>(values)));
}

}  // namespace

std::vector<Layer> LinearLayers(const StaticGraph& graph) {
  std::vector<Layer> layers;
  for (size_t i = 0; i < graph.graph().nodes.size(); ++i) {
    const Node& node = graph.graph().nodes[i];
    if (!IsLinear(node.op)) continue;
    const Initializer* weight = graph.initializer(node.inputs[1]);
    if (weight == nullptr || weight->data == nullptr || weight->type.dtype != DType::kFloat32) continue;
    const Shape& shape = weight->type.shape;
    size_t rows = static_cast<size_t>(shape[0]), count = weight->data->As<float>().size();
    size_t channels = static_cast<size_t>(shape[1]);
    layers.push_back({i, node.name, Matrix::FromFloats(rows, count / rows, weight->data->As<float>()),
                      BiasOf(graph, node), shape, count / rows / channels, node.inputs[1],
                      node.inputs.size() > 2 ? node.inputs[2] : kNoValue});
  }
  return layers;
}

Result<Matrix> InputRows(const StaticGraph& graph, const Layer& layer, const Tensor& x) {
  const Node& node = graph.graph().nodes[layer.node];
  size_t k = layer.weight.columns();
  if (std::holds_alternative<Linear>(node.op)) {
    return Matrix::FromFloats(x.As<float>().size() / k, k, x.As<float>());
  }
  Geometry g = TRY(GeometryOf(graph, layer, x));
  const Window& window = std::get<Conv>(node.op).window;
  Matrix rows(static_cast<size_t>(g.n * g.oh * g.ow), k);
  size_t at = 0;
  for (int64_t n = 0; n < g.n; ++n)
    for (int64_t oy = 0; oy < g.oh; ++oy)
      for (int64_t ox = 0; ox < g.ow; ++ox) FillPatch(g, window, x.As<float>(), n, oy, ox, rows.row(at++));
  return rows;
}

Result<Matrix> OutputRows(const StaticGraph& graph, const Layer& layer, const Tensor& y) {
  size_t m = layer.weight.rows();
  std::span<const float> values = y.As<float>();
  if (std::holds_alternative<Linear>(graph.graph().nodes[layer.node].op)) {
    return Matrix::FromFloats(values.size() / m, m, values);
  }
  size_t images = static_cast<size_t>(y.shape()[0]), positions = values.size() / m / images;
  Matrix rows(images * positions, m);
  for (size_t n = 0; n < images; ++n)
    for (size_t c = 0; c < m; ++c)
      for (size_t p = 0; p < positions; ++p) rows(n * positions + p, c) = values[(n * m + c) * positions + p];
  return rows;
}

Graph WithWeights(const Graph& graph, std::span<const Layer> layers) {
  Graph changed = graph;
  auto replace = [&](ValueId value, const Shape& shape, const std::vector<float>& values) {
    for (Initializer& initializer : changed.initializers)
      if (initializer.value == value) initializer = {value, {DType::kFloat32, shape}, Share(shape, values)};
  };
  for (const Layer& layer : layers) {
    replace(layer.weight_value, layer.shape, layer.weight.ToFloats());
    if (layer.bias.empty() || layer.bias_value == kNoValue) continue;
    std::vector<float> bias(layer.bias.begin(), layer.bias.end());
    replace(layer.bias_value, {static_cast<int64_t>(bias.size())}, bias);
  }
  return changed;
}

}  // namespace soter::audit
