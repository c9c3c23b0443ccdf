#pragma once

#include "audit/attacks/evaluator.h"
#include "audit/linear/draw.h"

namespace soter::audit {

// SmallNetwork is conv 3x3 (padded) - ReLU - max pool 2x2 - reshape - linear - ReLU - linear, on images [batch, 2, 4, 4].
// One weight after the other: [12, 2, 3, 3], [6, 48], [4, 6], each with a bias.
class SmallNetwork {
 public:
  static constexpr int64_t kBatch = 8;

  explicit SmallNetwork(uint64_t seed) : draw_(seed) {
    x = graph.AddValue("x");
    graph.inputs.push_back({x, DType::kFloat32, {Dim::Constant(kBatch), Dim::Constant(2), Dim::Constant(4), Dim::Constant(4)}});
    conv = Add("conv", Conv{.window = Same(3, 1, 1)}, {x, Weight({12, 2, 3, 3}), Weight({12})});
    ValueId relu = Add("relu", Unary{.kind = UnaryKind::kRelu}, {conv});
    ValueId pooled = Add("pool", Pool{.kind = PoolKind::kMax, .window = Same(2, 2, 0)}, {relu});
    flat = Add("flat", Reshape{}, {pooled, ShapeConstant({kBatch, 48})});
    ValueId hidden = Add("first", Linear{}, {flat, Weight({6, 48}), Weight({6})});
    activated = Add("relu2", Unary{.kind = UnaryKind::kRelu}, {hidden});
    y = Add("second", Linear{}, {activated, Weight({4, 6}), Weight({4})});
    graph.outputs.push_back(y);
  }

  StaticGraph Bound() const {
    std::vector<Shape> shapes = {{kBatch, 2, 4, 4}};
    return Bind(ValidatedGraph::Validate(graph).value(), shapes).value();
  }

  // Near is a network that was fine-tuned from this one: every weight moved by `share` of its size.
  SmallNetwork Near(double share, uint64_t seed) const {
    SmallNetwork near = *this;
    near.draw_ = Draw(seed);
    for (Initializer& initializer : near.graph.initializers) {
      if (initializer.type.dtype != DType::kFloat32) continue;
      Tensor moved = initializer.data->Clone();
      Matrix noise = near.draw_.Gaussian(1, moved.As<float>().size(), share * 0.3);
      for (size_t i = 0; i < noise.columns(); ++i) moved.MutableAs<float>()[i] += static_cast<float>(noise(0, i));
      initializer.data = std::make_shared<const Tensor>(std::move(moved));
    }
    return near;
  }

  Graph graph;
  ValueId x, conv, flat, activated, y;

 private:
  static Window Same(int64_t kernel, int64_t stride, int64_t pad) {
    return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
  }
  ValueId Add(const char* name, Op op, std::vector<ValueId> inputs) {
    ValueId output = graph.AddValue(name);
    graph.nodes.push_back({name, std::move(op), std::move(inputs), {output}});
    return output;
  }
  ValueId Constant(Tensor tensor) {
    ValueId value = graph.AddValue("");
    TensorType type = tensor.type();
    graph.initializers.push_back({value, type, std::make_shared<const Tensor>(std::move(tensor))});
    return value;
  }
  ValueId Weight(Shape shape) {
    size_t count = static_cast<size_t>(ElementCount(shape).value());
    std::vector<float> values = draw_.Gaussian(1, count, 0.3).ToFloats();
    return Constant(Tensor::FromValues<float>(std::move(shape), std::span<const float>(values)));
  }
  ValueId ShapeConstant(std::vector<int64_t> extents) {
    return Constant(Tensor::FromValues<int64_t>({static_cast<int64_t>(extents.size())}, std::span<const int64_t>(extents)));
  }

  Draw draw_;
};

}  // namespace soter::audit
